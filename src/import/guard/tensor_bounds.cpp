#include <algorithm>
#include <array>
#include <utility>

#include "import/guard/directory.h"
#include "import/guard/element_sizes.h"
#include "import/guard/pickle_machine.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

constexpr size_t kMostDimensions = 64;

/// A view may repeat its elements (an expanded mask); this many do no harm.
constexpr int64_t kAlwaysAllowed = int64_t{1} << 24;
constexpr int64_t kMostRepeats = 64;

struct Extents {
  std::vector<int64_t> sizes;
  std::vector<int64_t> strides;
};

/// Nothing where a part is not a number.
std::optional<std::vector<int64_t>> numbers(const std::vector<PickleValue>& values, size_t tuple) {
  std::vector<int64_t> result;
  if (values[tuple].kind != PickleKind::kTuple) return std::nullopt;
  for (const size_t child : values[tuple].children) {
    if (values[child].kind != PickleKind::kInt || values[child].number < 0) return std::nullopt;
    result.push_back(values[child].number);
  }
  return result;
}

/// One past the last element that is read; nothing where that is no 64-bit number.
std::optional<int64_t> end_of(int64_t offset, const Extents& extents) {
  int64_t end = offset;
  for (size_t i = 0; i < extents.sizes.size(); ++i) {
    if (extents.sizes[i] == 0) return offset;
    int64_t reach = 0;
    if (__builtin_mul_overflow(extents.sizes[i] - 1, extents.strides[i], &reach) ||
        __builtin_add_overflow(end, reach, &end)) {
      return std::nullopt;
    }
  }
  return __builtin_add_overflow(end, 1, &end) ? std::nullopt : std::optional<int64_t>(end);
}

std::optional<int64_t> count_of(const Extents& extents) {
  int64_t count = 1;
  for (const int64_t size : extents.sizes) {
    if (size == 0) return 0;
  }
  for (const int64_t size : extents.sizes) {
    if (__builtin_mul_overflow(count, size, &count)) return std::nullopt;
  }
  return count;
}

[[noreturn]] void refuse(const PickleRules& rules, const std::string& what) {
  throw ImportError("cannot be trusted: its " + rules.name + " " + what);
}

void check_extents(int64_t offset, const Extents& extents, const PickleValue& storage,
                   const PickleRules& rules) {
  const auto end = end_of(offset, extents);
  if (offset < 0 || !end || *end > storage.number) {
    refuse(rules, "describes a tensor that lies outside its data " + in_quotes(storage.text) +
                      ", which holds " + std::to_string(storage.number) + " numbers");
  }
  const auto count = count_of(extents);
  const int64_t most =
      std::max(kAlwaysAllowed,
               storage.number > kAlwaysAllowed ? storage.number * kMostRepeats : kAlwaysAllowed);
  if (!count || *count > most) {
    refuse(rules, "describes a tensor of far more elements than its data " +
                      in_quotes(storage.text) + " holds");
  }
}

}  // namespace

std::optional<int64_t> element_bytes(std::string_view storage_class) {
  static constexpr std::array<std::pair<std::string_view, int64_t>, 12> kClasses = {{
      {"torch\nFloatStorage", 4},
      {"torch\nDoubleStorage", 8},
      {"torch\nHalfStorage", 2},
      {"torch\nBFloat16Storage", 2},
      {"torch\nLongStorage", 8},
      {"torch\nIntStorage", 4},
      {"torch\nShortStorage", 2},
      {"torch\nCharStorage", 1},
      {"torch\nByteStorage", 1},
      {"torch\nBoolStorage", 1},
      {"torch\nComplexFloatStorage", 8},
      {"torch\nComplexDoubleStorage", 16},
  }};
  for (const auto& [name, bytes] : kClasses) {
    if (name == storage_class) return bytes;
  }
  return std::nullopt;
}

void check_tensor(const std::vector<PickleValue>& values, const std::vector<size_t>& arguments,
                  const PickleRules& rules) {
  if (arguments.size() < 6 || values[arguments[0]].kind != PickleKind::kStorage ||
      values[arguments[1]].kind != PickleKind::kInt ||
      values[arguments[4]].kind != PickleKind::kBool) {
    refuse(rules, "describes a tensor without storage, offset or extents");
  }
  const auto sizes = numbers(values, arguments[2]);
  const auto strides = numbers(values, arguments[3]);
  if (!sizes || !strides || sizes->size() != strides->size() || sizes->size() > kMostDimensions) {
    refuse(rules, "describes a tensor whose sizes and strides are not extents");
  }
  check_extents(values[arguments[1]].number, {*sizes, *strides}, values[arguments[0]], rules);
}

}  // namespace ptq::import
