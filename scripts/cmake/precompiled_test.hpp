// What the tests include on top.
#pragma once

#include "precompiled.hpp"

#include <catch2/catch.hpp>
