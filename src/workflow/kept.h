#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ptq::workflow {

/// What a stage made, and what it warned of.
template <class T>
struct Made {
  T value;
  std::vector<std::string> warnings;
};

/// What a stage made for the options of `key`, until others come.
template <class T>
class Kept {
 public:
  const Made<T>* find(const std::string& key) const {
    return made_ && key == key_ ? &*made_ : nullptr;
  }
  void put(const std::string& key, Made<T> made) {
    key_ = key;
    made_ = std::move(made);
  }
  /// Frees it where it is of no more use.
  void clear_unless(const std::string& key) {
    if (key != key_) made_.reset();
  }

 private:
  std::string key_;
  std::optional<Made<T>> made_;
};

/// The same for small things: all are kept.
template <class T>
class KeptAll {
 public:
  const Made<T>* find(const std::string& key) const {
    const auto found = all_.find(key);
    return found == all_.end() ? nullptr : &found->second;
  }
  void put(const std::string& key, Made<T> made) { all_.insert_or_assign(key, std::move(made)); }
  void clear_unless(const std::string& /*key*/) {}
  void clear() { all_.clear(); }

 private:
  std::map<std::string, Made<T>> all_;
};

}  // namespace ptq::workflow
