#pragma once

#include <cstdlib>
#include <iostream>
#include <string_view>

/// Ends the program where something that must hold does not: libFuzzer then keeps the input.
inline void require(bool holds, std::string_view what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << '\n';
  std::abort();
}
