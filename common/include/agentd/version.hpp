#pragma once

#include <nlohmann/json.hpp>

/// The version of these headers. The build checks that it is the project's.
#define AGENTD_VERSION_MAJOR 0
#define AGENTD_VERSION_MINOR 1
#define AGENTD_VERSION_PATCH 0

#define AGENTD_DETAIL_TEXT_OF(x) #x
#define AGENTD_DETAIL_TEXT(x) AGENTD_DETAIL_TEXT_OF(x)

/// What a plugin and the daemon that loads it must have in common, but for the sizes of our types, which
/// `agentd/abi.hpp` adds.
#define AGENTD_ABI_VERSION \
  "agentd-" AGENTD_DETAIL_TEXT(AGENTD_VERSION_MAJOR) "." AGENTD_DETAIL_TEXT(           \
      AGENTD_VERSION_MINOR) " gxx-" AGENTD_DETAIL_TEXT(__GXX_ABI_VERSION) " cxx11-"    \
  AGENTD_DETAIL_TEXT(_GLIBCXX_USE_CXX11_ABI) " json-"                                  \
  AGENTD_DETAIL_TEXT(NLOHMANN_JSON_VERSION_MAJOR) "."                                  \
  AGENTD_DETAIL_TEXT(NLOHMANN_JSON_VERSION_MINOR) "."                                  \
  AGENTD_DETAIL_TEXT(NLOHMANN_JSON_VERSION_PATCH)
