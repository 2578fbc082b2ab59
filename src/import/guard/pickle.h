#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The pickles of a TorchScript archive: run without making anything, to see whether LibTorch may
/// run them.
namespace ptq::import {

enum class PickleKind {
  kNone,
  kBool,
  kInt,
  kDouble,
  kText,
  kTuple,
  kList,
  kDict,
  kGlobal,
  kStorage,
  kTensor,
  kUnbuilt,  // an object before its state
  kObject,
  kOther,
};

struct PickleValue {
  PickleKind kind = PickleKind::kNone;
  /// Levels of containers in it.
  int height = 0;
  /// Is part of another value, which must not change any more.
  bool inside = false;
  /// Of a number; of a storage, how many elements it has.
  int64_t number = 0;
  /// Of a text; "module name" of a global; the key of a storage.
  std::string_view text = {};
  std::vector<size_t> children = {};
};

/// What the pickles of a file may hold together.
inline constexpr size_t kMostPickledValues = 4'000'000;

/// What may be in a pickle.
struct PickleRules {
  /// As sentences name it: "data.pkl".
  std::string name;
  /// Bytes of the record that holds the storage of this key; nothing if there is none.
  std::function<std::optional<uint64_t>(std::string_view key)> storage_bytes;
  bool classes_of_libtorch_allowed = false;
  size_t most_values = kMostPickledValues;
};

struct CheckedPickle {
  /// What the pickle makes.
  PickleKind kind = PickleKind::kNone;
  /// How many values it holds.
  size_t values = 0;
};

/// Throws ImportError, without the file's name, unless every operation is
/// one that torch.jit.save writes, finds on the stack what it needs, makes nothing but modules,
/// plain values and tensors that lie within their storage, and nests no deeper than 256 levels.
CheckedPickle check_pickle(std::string_view pickle, const PickleRules& rules);

}  // namespace ptq::import
