#include "data/text_encoding.h"

#include <cstdint>

namespace ptq::data {
namespace {

constexpr uint32_t kReplacement = 0xFFFD;

void append(std::string& text, uint32_t point) {
  const auto tail = [&](int shift) {
    text += static_cast<char>(0x80U | ((point >> static_cast<unsigned>(shift)) & 0x3FU));
  };
  if (point < 0x80) {
    text += static_cast<char>(point);
  } else if (point < 0x800) {
    text += static_cast<char>(0xC0U | (point >> 6U));
    tail(0);
  } else if (point < 0x10000) {
    text += static_cast<char>(0xE0U | (point >> 12U));
    tail(6), tail(0);
  } else {
    text += static_cast<char>(0xF0U | (point >> 18U));
    tail(12), tail(6), tail(0);
  }
}

enum class Order { kLittleEndian, kBigEndian };

uint32_t unit_at(const std::string& bytes, size_t at, Order order) {
  const auto first = static_cast<unsigned char>(bytes[at]);
  const auto second = static_cast<unsigned char>(bytes[at + 1]);
  return order == Order::kLittleEndian ? first | (static_cast<uint32_t>(second) << 8U)
                                       : second | (static_cast<uint32_t>(first) << 8U);
}

bool is_first_half(uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_second_half(uint32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

std::string from_utf16(const std::string& bytes, Order order) {
  std::string text;
  for (size_t at = 2; at + 1 < bytes.size(); at += 2) {
    const uint32_t unit = unit_at(bytes, at, order);
    const bool more = is_first_half(unit) && at + 3 < bytes.size();
    const uint32_t next = more ? unit_at(bytes, at + 2, order) : 0;
    if (is_second_half(next)) {
      append(text, 0x10000U + ((unit - 0xD800U) << 10U) + (next - 0xDC00U));
      at += 2;
    } else {
      append(text, is_first_half(unit) || is_second_half(unit) ? kReplacement : unit);
    }
  }
  return text;
}

bool starts_with(const std::string& bytes, const char* mark) { return bytes.rfind(mark, 0) == 0; }

}  // namespace

std::string to_utf8(const std::string& bytes) {
  if (starts_with(bytes, "\xEF\xBB\xBF")) return bytes.substr(3);
  if (starts_with(bytes, "\xFF\xFE")) return from_utf16(bytes, Order::kLittleEndian);
  if (starts_with(bytes, "\xFE\xFF")) return from_utf16(bytes, Order::kBigEndian);
  return bytes;
}

}  // namespace ptq::data
