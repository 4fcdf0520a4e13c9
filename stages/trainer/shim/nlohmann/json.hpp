// The header of functorch that stack.cpp needs includes this library, which libtorch's wheel does not bring.
// Only functions that write its state down would use it, and nothing here calls those.
#pragma once
#include <string>

namespace nlohmann {
template <typename T, typename = void>
struct adl_serializer {};

struct json {
  json();
  template <typename T>
  json(const T&);
  static json parse(const std::string&);
  template <typename T>
  T get();
  std::string dump();
};
} // namespace nlohmann
