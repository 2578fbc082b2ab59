#include "import/guard/pickle_machine.h"

#include <algorithm>
#include <limits>

#include "import/guard/directory.h"
#include "import/guard/element_sizes.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

constexpr int kDeepest = 256;
constexpr size_t kLongestTypeTag = 4096;
constexpr int kDeepestTypeTag = 32;
constexpr size_t kNothing = std::numeric_limits<size_t>::max();

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool is_class_of_file(std::string_view name) { return starts_with(name, "__torch__"); }

bool is_class_of_libtorch(std::string_view name) {
  return starts_with(name, "__torch__.torch.classes");
}

/// Modules of Python, whose functions take lists apart from what they hold.
bool is_typed_list(std::string_view name) {
  return name == "torch.jit._pickle\nbuild_intlist" ||
         name == "torch.jit._pickle\nbuild_doublelist" ||
         name == "torch.jit._pickle\nbuild_boollist" ||
         name == "torch.jit._pickle\nbuild_tensorlist";
}

}  // namespace

void PickleMachine::refuse(const std::string& what) const {
  throw ImportError("cannot be trusted: its " + rules_.name + " " + what);
}

size_t PickleMachine::push(PickleValue value) {
  if (values_.size() >= rules_.most_values) {
    refuse("holds more values than the " + std::to_string(kMostPickledValues) +
           " that a file's pickles may have together");
  }
  values_.push_back(std::move(value));
  stack_.push_back(values_.size() - 1);
  return stack_.back();
}

size_t PickleMachine::pop() {
  if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back())) {
    refuse("takes more from its stack than is there");
  }
  const size_t value = stack_.back();
  stack_.pop_back();
  return value;
}

size_t PickleMachine::pop(PickleKind kind, const char* role) {
  const size_t value = pop();
  if (at(value).kind != kind) refuse(std::string("has something else where it needs ") + role);
  return value;
}

std::vector<size_t> PickleMachine::pop_to_mark() {
  if (marks_.empty()) refuse("ends a group that it never began");
  const size_t mark = marks_.back();
  std::vector<size_t> values(stack_.begin() + static_cast<std::ptrdiff_t>(mark), stack_.end());
  stack_.resize(mark);
  marks_.pop_back();
  return values;
}

std::vector<size_t> PickleMachine::pop_count(size_t count) {
  std::vector<size_t> values(count);
  for (size_t i = count; i > 0; --i) values[i - 1] = pop();
  return values;
}

void PickleMachine::add_children(size_t container, const std::vector<size_t>& children) {
  PickleValue& value = values_[container];
  if (value.inside) refuse("changes a value after it became part of another");
  for (const size_t child : children) {
    PickleValue& part = values_[child];
    if (child == container || part.kind == PickleKind::kUnbuilt) {
      refuse("uses an object before it is complete");
    }
    part.inside = true;
    value.height = std::max(value.height, part.height + 1);
  }
  if (value.height > kDeepest) {
    refuse("nests values deeper than " + std::to_string(kDeepest) + " levels");
  }
  value.children.insert(value.children.end(), children.begin(), children.end());
}

size_t PickleMachine::push_container(PickleKind kind, const std::vector<size_t>& children) {
  PickleValue value;
  value.kind = kind;
  const size_t container = push(std::move(value));
  add_children(container, children);
  return container;
}

void PickleMachine::put(uint64_t slot) {
  const size_t value = pop();
  stack_.push_back(value);
  // The writer counts slots up, so that there are never more than values.
  if (slot > values_.size()) refuse("keeps a value under a number that was never its turn");
  if (memo_.size() <= slot) memo_.resize(slot + 1, kNothing);
  memo_[slot] = value;
}

void PickleMachine::get(uint64_t slot) {
  if (slot >= memo_.size() || memo_[slot] == kNothing) refuse("reads a value that it never kept");
  if (at(memo_[slot]).kind == PickleKind::kUnbuilt) refuse("uses an object before it is complete");
  stack_.push_back(memo_[slot]);
}

void PickleMachine::append() {
  const std::vector<size_t> elements = pop_to_mark();
  const size_t list = pop(PickleKind::kList, "a list");
  add_children(list, elements);
  stack_.push_back(list);
}

void PickleMachine::set_items() {
  const std::vector<size_t> items = pop_to_mark();
  const size_t dict = pop(PickleKind::kDict, "a dictionary");
  if (items.size() % 2 != 0) refuse("has a key without a value");
  add_children(dict, items);
  stack_.push_back(dict);
}

void PickleMachine::check_callable(std::string_view name) const {
  if (is_class_of_libtorch(name) && !rules_.classes_of_libtorch_allowed) {
    refuse("makes an object of LibTorch's own class " + in_quotes(name.substr(0, name.find('\n'))) +
           "; --trust-model allows it");
  }
}

void PickleMachine::new_object() {
  pop(PickleKind::kTuple, "arguments");
  const size_t type = pop(PickleKind::kGlobal, "a class");
  check_callable(at(type).text);
  if (!is_class_of_file(at(type).text)) {
    refuse("makes an object of " + in_quotes(at(type).text) + ", which is not a class of the file");
  }
  PickleValue object;
  object.kind = PickleKind::kUnbuilt;
  push(std::move(object));
}

void PickleMachine::build() {
  const size_t state = pop();
  pop(PickleKind::kUnbuilt, "an object without its state");
  push_container(PickleKind::kObject, {state});
}

void PickleMachine::storage() {
  const size_t tuple = pop(PickleKind::kTuple, "the five facts of a storage");
  const std::vector<size_t>& facts = at(tuple).children;
  const PickleKind kinds[] = {PickleKind::kText, PickleKind::kGlobal, PickleKind::kText,
                              PickleKind::kText, PickleKind::kInt};
  if (facts.size() != 5) refuse("has something else where it needs the five facts of a storage");
  for (size_t i = 0; i < 5; ++i) {
    if (at(facts[i]).kind != kinds[i]) refuse("has a storage without type, key or size");
  }
  const std::optional<int64_t> element = element_bytes(at(facts[1]).text);
  if (at(facts[0]).text != "storage" || !element) {
    refuse("has a storage of the unknown type " + in_quotes(at(facts[1]).text));
  }
  const std::string_view key = at(facts[2]).text;
  const std::optional<uint64_t> bytes = rules_.storage_bytes(key);
  if (!bytes)
    refuse("names the tensor data " + in_quotes(key) + ", which the archive does not hold");
  const int64_t count = at(facts[4]).number;
  if (count < 0 || static_cast<uint64_t>(count) > *bytes / static_cast<uint64_t>(*element)) {
    refuse("promises " + std::to_string(count) + " numbers of " + std::to_string(*element) +
           " bytes in the tensor data " + in_quotes(key) + ", which has " + std::to_string(*bytes) +
           " bytes");
  }
  PickleValue storage;
  storage.kind = PickleKind::kStorage;
  storage.number = count;
  storage.text = key;
  push(std::move(storage));
}

/// LibTorch parses the text as a type, level by level.
void PickleMachine::check_type_tag(const std::vector<size_t>& arguments) const {
  if (arguments.size() != 2 || at(arguments[1]).kind != PickleKind::kText) {
    refuse("has a type tag without a type");
  }
  const std::string_view text = at(arguments[1]).text;
  int depth = 0;
  int deepest = 0;
  for (const char c : text.substr(0, kLongestTypeTag)) {
    if (c == '[' || c == '(') deepest = std::max(deepest, ++depth);
    if (c == ']' || c == ')') --depth;
  }
  if (text.size() > kLongestTypeTag || deepest > kDeepestTypeTag) {
    refuse("has the type tag " + in_quotes(text) + ", which is too long or nested too deep");
  }
}

void PickleMachine::reduce() {
  const size_t tuple = pop(PickleKind::kTuple, "arguments");
  const std::string_view name = at(pop(PickleKind::kGlobal, "a function or a class")).text;
  // By reference: a file may call a million times with one tuple of a million values.
  const std::vector<size_t>& arguments = at(tuple).children;
  PickleKind made = PickleKind::kOther;
  check_callable(name);
  if (name == "torch._utils\n_rebuild_tensor_v2") {
    check_tensor(values_, arguments, rules_);
    made = PickleKind::kTensor;
  } else if (name == "collections\nOrderedDict" && arguments.empty()) {
    made = PickleKind::kDict;
  } else if (is_typed_list(name)) {
    if (arguments.size() != 1 || at(arguments[0]).kind != PickleKind::kList) {
      refuse("has a list without elements to make it of");
    }
    made = PickleKind::kList;
  } else if (name == "torch.jit._pickle\nrestore_type_tag") {
    check_type_tag(arguments);
    made = at(arguments[0]).kind;
  } else if (is_class_of_file(name)) {
    made = PickleKind::kObject;
  } else if (name != "torch\ndevice" && name != "builtins\ncomplex") {
    refuse("calls " + in_quotes(name) + ", which no TorchScript file needs");
  }
  const int height = at(tuple).height;
  PickleValue value;
  value.kind = made;
  value.height = height;
  push(std::move(value));
}

PickleKind PickleMachine::result() const {
  if (stack_.size() != 1 || !marks_.empty()) refuse("ends without one value on its stack");
  return at(stack_.back()).kind;
}

}  // namespace ptq::import
