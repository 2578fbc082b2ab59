#include "import/guard/pickle.h"

#include "import/guard/pickle_machine.h"

namespace ptq::import {
namespace {

/// Reads the operations of a pickle one after the other.
class PickleReader {
 public:
  PickleReader(std::string_view pickle, const PickleRules& rules)
      : rest_(pickle), machine_(rules) {}

  CheckedPickle run();

 private:
  bool step(unsigned char operation);
  bool step_value(unsigned char operation);
  bool step_container(unsigned char operation);
  bool step_call(unsigned char operation);
  std::string_view take(uint64_t count);
  uint64_t unsigned_number(int width);
  std::string_view line();
  void push_number(int64_t number);
  void push_text(PickleKind kind, std::string_view text);
  void push_kind(PickleKind kind);

  std::string_view rest_;
  PickleMachine machine_;
};

std::string_view PickleReader::take(uint64_t count) {
  if (count > rest_.size()) machine_.refuse("ends in the middle of a value");
  const std::string_view text = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return text;
}

uint64_t PickleReader::unsigned_number(int width) {
  const std::string_view bytes = take(static_cast<uint64_t>(width));
  uint64_t value = 0;
  for (int i = width - 1; i >= 0; --i) {
    value = value << 8U | static_cast<unsigned char>(bytes[static_cast<size_t>(i)]);
  }
  return value;
}

std::string_view PickleReader::line() {
  const size_t end = rest_.find('\n');
  if (end == std::string_view::npos) machine_.refuse("ends in the middle of a name");
  const std::string_view text = take(end);
  take(1);
  return text;
}

void PickleReader::push_number(int64_t number) {
  PickleValue value;
  value.kind = PickleKind::kInt;
  value.number = number;
  machine_.push(std::move(value));
}

void PickleReader::push_text(PickleKind kind, std::string_view text) {
  PickleValue value;
  value.kind = kind;
  value.text = text;
  machine_.push(std::move(value));
}

void PickleReader::push_kind(PickleKind kind) {
  PickleValue value;
  value.kind = kind;
  machine_.push(std::move(value));
}

bool PickleReader::step_value(unsigned char operation) {
  switch (operation) {
    case 'N':
      push_kind(PickleKind::kNone);
      return true;
    case 0x88:
    case 0x89:
      push_kind(PickleKind::kBool);
      return true;
    case 'K':
      push_number(static_cast<int64_t>(unsigned_number(1)));
      return true;
    case 'M':
      push_number(static_cast<int64_t>(unsigned_number(2)));
      return true;
    case 'J':
      push_number(static_cast<int32_t>(static_cast<uint32_t>(unsigned_number(4))));
      return true;
    case 0x8a:  // LONG1; LibTorch knows numbers of 64 bits only
      if (unsigned_number(1) != 8) machine_.refuse("holds a number that is not of 64 bits");
      push_number(static_cast<int64_t>(unsigned_number(8)));
      return true;
    case 'G':
      take(8);
      push_kind(PickleKind::kDouble);
      return true;
    case 'X':
      push_text(PickleKind::kText, take(unsigned_number(4)));
      return true;
    default:
      return false;
  }
}

bool PickleReader::step_container(unsigned char operation) {
  switch (operation) {
    case '(':
      machine_.mark();
      return true;
    case ')':
      machine_.push_container(PickleKind::kTuple, {});
      return true;
    case ']':
      machine_.push_container(PickleKind::kList, {});
      return true;
    case '}':
      machine_.push_container(PickleKind::kDict, {});
      return true;
    case 't':
      machine_.push_container(PickleKind::kTuple, machine_.pop_to_mark());
      return true;
    case 0x85:
    case 0x86:
    case 0x87:
      machine_.push_container(PickleKind::kTuple, machine_.pop_count(operation - 0x84U));
      return true;
    case 'e':
      machine_.append();
      return true;
    case 'u':
      machine_.set_items();
      return true;
    default:
      return false;
  }
}

bool PickleReader::step_call(unsigned char operation) {
  switch (operation) {
    case 'q':
      machine_.put(unsigned_number(1));
      return true;
    case 'r':
      machine_.put(unsigned_number(4));
      return true;
    case 'h':
      machine_.get(unsigned_number(1));
      return true;
    case 'j':
      machine_.get(unsigned_number(4));
      return true;
    case 'c': {
      const char* begin = rest_.data();
      const std::string_view module = line();
      const std::string_view name = line();
      // The two lines as they stand, with the line's end between them, are one text.
      push_text(PickleKind::kGlobal, {begin, module.size() + 1 + name.size()});
      return true;
    }
    case 0x81:
      machine_.new_object();
      return true;
    case 'b':
      machine_.build();
      return true;
    case 'Q':
      machine_.storage();
      return true;
    case 'R':
      machine_.reduce();
      return true;
    default:
      return false;
  }
}

bool PickleReader::step(unsigned char operation) {
  return step_value(operation) || step_container(operation) || step_call(operation);
}

CheckedPickle PickleReader::run() {
  constexpr unsigned char kProtocol = 0x80;
  if (static_cast<unsigned char>(take(1)[0]) != kProtocol || unsigned_number(1) != 2) {
    machine_.refuse("is not a pickle of protocol 2");
  }
  for (;;) {
    const auto operation = static_cast<unsigned char>(take(1)[0]);
    if (operation == '.') return {machine_.result(), machine_.values()};
    if (!step(operation)) {
      machine_.refuse("holds the operation " + std::to_string(operation) +
                      ", which torch.jit.save never writes");
    }
  }
}

}  // namespace

CheckedPickle check_pickle(std::string_view pickle, const PickleRules& rules) {
  return PickleReader(pickle, rules).run();
}

}  // namespace ptq::import
