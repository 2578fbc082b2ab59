#pragma once

#include "import/guard/pickle.h"

namespace ptq::import {

/// The stack, the marks and the memo of a pickle that runs.
class PickleMachine {
 public:
  explicit PickleMachine(const PickleRules& rules) : rules_(rules) {}

  size_t push(PickleValue value);
  size_t pop();
  /// A new container of these values.
  size_t push_container(PickleKind kind, const std::vector<size_t>& children);
  void mark() { marks_.push_back(stack_.size()); }
  std::vector<size_t> pop_to_mark();
  std::vector<size_t> pop_count(size_t count);

  void put(uint64_t slot);
  void get(uint64_t slot);
  void append();
  void set_items();
  void new_object();
  void build();
  void storage();
  void reduce();
  PickleKind result() const;
  size_t values() const { return values_.size(); }

  [[noreturn]] void refuse(const std::string& what) const;

 private:
  const PickleValue& at(size_t value) const { return values_[value]; }
  size_t pop(PickleKind kind, const char* role);
  void add_children(size_t container, const std::vector<size_t>& children);
  void check_type_tag(const std::vector<size_t>& arguments) const;
  void check_callable(std::string_view name) const;

  const PickleRules& rules_;
  std::vector<PickleValue> values_;
  std::vector<size_t> stack_;
  std::vector<size_t> marks_;
  std::vector<size_t> memo_;
};

/// Throws unless the tensor that these arguments of _rebuild_tensor_v2 describe lies within its
/// storage.
void check_tensor(const std::vector<PickleValue>& values, const std::vector<size_t>& arguments,
                  const PickleRules& rules);

}  // namespace ptq::import
