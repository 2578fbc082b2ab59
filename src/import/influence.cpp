#include "import/influence.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <map>
#include <optional>

#include "import/messages.h"
#include "import/operator_reach.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

/// Sums in another order differ by less, relative to the largest value.
constexpr double kRounding = 1e-5;
/// Answers that differ by more are not the same.
constexpr double kSame = 1e-3;

/// How much louder pictures are that stand beside those whose answers are compared: so a mean or a
/// threshold of the batch moves by more than small weights or decisions could hide.
constexpr double kLoud = 32;
/// The same of numbers from 0 to 1, as an exponent.
constexpr double kDark = 4;

at::Tensor picture(int64_t number, int64_t image_size, Pictures pictures) {
  const auto generator = at::detail::createCPUGenerator(static_cast<uint64_t>(number) + 1);
  const std::vector<int64_t> sizes = {3, image_size, image_size};
  const bool is_first = number < static_cast<int64_t>(kFirstPictures.size());
  if (pictures == Pictures::kCalm) {
    const at::Tensor calm = at::rand(sizes, generator);
    return is_first ? calm : calm.pow(kDark);
  }
  const at::Tensor noise = at::randn(sizes, generator);
  return is_first ? noise : noise.mul(kLoud);
}

/// Largest |a - b|, in units of the largest |a|, which are finite; infinite where b is not.
double difference(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return INFINITY;
  const double largest = std::max(a.abs().max().item<double>(), 1e-30);
  return a.sub(b).abs().nan_to_num(INFINITY, INFINITY).max().item<double>() / largest;
}

bool same_answers(const at::Tensor& first, const at::Tensor& second) {
  for (size_t i = 0; i < kSecondPictures.size(); ++i) {
    for (size_t j = 0; j < kFirstPictures.size(); ++j) {
      if (kSecondPictures[i] != kFirstPictures[j]) continue;
      const auto row = static_cast<int64_t>(j), other = static_cast<int64_t>(i);
      if (difference(first[row], second[other]) > kRounding) return false;
    }
  }
  return true;
}

/// Values of one walk, in the order in which they were made.
using Kept = std::map<ir::ValueId, at::Tensor>;

struct Trial {
  Walked walked;
  Kept values;
};

/// A model on some of the pictures.
using WalkPictures = std::function<Walked(const std::vector<int64_t>& which, const Seen& seen)>;

Trial try_pictures(const std::vector<int64_t>& which, const WalkPictures& walk_on) {
  Trial trial;
  trial.walked = walk_on(which, [&](ir::ValueId id, const at::Tensor& x) {
    if (x.is_floating_point()) trial.values[id] = x.clone();
  });
  return trial;
}

/// Where values of `a` and `b` differ by more than rounding; undefined where nowhere.
at::Tensor changed(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return {};
  const at::Tensor distance = a.sub(b).abs().nan_to_num(0, INFINITY);
  const double largest = distance.numel() == 0 ? 0 : distance.max().item<double>();
  return largest == 0 ? at::Tensor() : distance.gt(kRounding * largest);
}

const ir::Node* maker(const ir::Graph& graph, ir::ValueId value) {
  for (const ir::Node& node : graph.nodes) {
    if (node.output() == value) return &node;
  }
  return nullptr;
}

std::string name_of(const ir::Graph& graph, ir::ValueId value) {
  const ir::Node* node = maker(graph, value);
  return node == nullptr ? "forward" : node_text(*node);
}

bool is_batch_norm(const ir::Graph& graph, ir::ValueId value) {
  const ir::Node* node = maker(graph, value);
  const auto* opaque = node == nullptr ? nullptr : node->as<ir::Opaque>();
  return opaque != nullptr && opaque->schema.find("batch_norm") != std::string::npos;
}

/// Whether elements depend on both images, or, where there is one row an image, a row on the
/// other's. Undefined masks are empty.
bool meets(const at::Tensor& by_first, const at::Tensor& by_second) {
  const auto row_of_other = [](const at::Tensor& mask, int64_t other) {
    const bool rows = mask.defined() && mask.dim() == 2 && mask.size(0) == kFirstBatch;
    return rows && mask[other].any().item<bool>();
  };
  const bool both = by_first.defined() && by_second.defined();
  return (both && by_first.logical_and(by_second).any().item<bool>()) ||
         row_of_other(by_first, 1) || row_of_other(by_second, 0);
}

/// `first_other` and `second_other` are walks whose first and whose second picture is another one.
bool meets(const at::Tensor& base, const at::Tensor& first_other, const at::Tensor& second_other) {
  return meets(changed(base, first_other), changed(base, second_other));
}

bool meets(const std::vector<Reach>& reach, ir::ValueId value) {
  const Reach& of_value = reach[static_cast<size_t>(value)];
  return meets(of_value[0], of_value[1]);
}

[[noreturn]] void refuse_meeting(const ir::Graph& graph, ir::ValueId value) {
  const char* why = is_batch_norm(graph, value)
                        ? ": batch norm without running statistics uses those of the batch, so"
                        : ":";
  throw ImportError(name_of(graph, value) + why +
                    " the images of a batch influence each other; the network must treat every "
                    "image alike");
}

void check_repeats(const Trial& base, const Trial& again) {
  for (const auto& [id, value] : base.values) {
    const auto found = again.values.find(id);
    if (found == again.values.end() || !changed(value, found->second).defined()) continue;
    throw ImportError(name_of(base.walked.graph, id) +
                      " gives other values every time it runs; a classifier in evaluation mode "
                      "must not");
  }
}

void find_meeting(const Trial& base, const Trial& first_other, const Trial& second_other) {
  if (!meets(base.walked.logits, first_other.walked.logits, second_other.walked.logits)) return;
  for (const auto& [id, value] : base.values) {
    const auto a = first_other.values.find(id), b = second_other.values.find(id);
    if (a == first_other.values.end() || b == second_other.values.end()) continue;
    if (meets(value, a->second, b->second)) refuse_meeting(base.walked.graph, id);
  }
  refuse_meeting(base.walked.graph, base.walked.graph.output);
}

void check_walks(const at::Tensor& first, const at::Tensor& second, const WalkPictures& walk_on) {
  if (same_answers(first, second)) return;
  const Trial base = try_pictures(kFirstPictures, walk_on);
  check_repeats(base, try_pictures(kFirstPictures, walk_on));
  find_meeting(base, try_pictures({2, kFirstPictures[1]}, walk_on),
               try_pictures({kFirstPictures[0], 3}, walk_on));
  const Walked swapped = walk_on({kFirstPictures[1], kFirstPictures[0]}, nullptr);
  if (difference(base.walked.logits, swapped.logits.flip(0)) > kSame) {
    throw ImportError("the answer to an image depends on its place in the batch");
  }
}

bool is_finite(const at::Tensor& answers) { return answers.isfinite().all().item<bool>(); }

WalkPictures loud_walks(int64_t image_size, const WalkOn& walk_on) {
  return [=](const std::vector<int64_t>& which, const Seen& seen) {
    return walk_on(test_images(which, image_size), seen, Products::kSampled);
  };
}

WalkPictures calm_walks(int64_t image_size, const WalkOn& walk_on) {
  return [=](const std::vector<int64_t>& which, const Seen& seen) {
    return walk_on(test_images(which, image_size, Pictures::kCalm), seen, Products::kExact);
  };
}

/// What stands in the place of a value.
using Exchanged = std::function<at::Tensor(const at::Tensor& value)>;

/// A model on the first pictures, and again with other values in the place of some.
class Exchange {
 public:
  explicit Exchange(const WalkPictures& walk_on)
      : walk_on_(walk_on), answers_(walk_on(kFirstPictures, nullptr).logits) {}

  /// Whether elements of `value` that depend on one image alone change the answer to the other. It
  /// is taken to where a walk does not show the value, or answers are no numbers. Tried from the
  /// value as it is, and from another in which nothing is zero.
  bool reaches_other(ir::ValueId value, const Reach& reach) {
    const auto reaches = [&](const at::Tensor& answers, const at::Tensor& start) {
      return reaches_other({value, answers, start}, reach[0], reach[1], 1) ||
             reaches_other({value, answers, start}, reach[1], reach[0], 0);
    };
    if (reaches(answers_, {})) return true;
    at::Tensor start;
    const auto answers = answers_with(value, [&](const at::Tensor& x) {
      start = draws_.without_zeros(x);
      return start;
    });
    return answers && is_finite(*answers) && reaches(*answers, start);
  }

 private:
  /// What a value is exchanged in, and what the model answers without.
  struct From {
    ir::ValueId value;
    const at::Tensor& answers;
    const at::Tensor& start;  // undefined: the value as it is
  };

  bool reaches_other(const From& from, const at::Tensor& own, const at::Tensor& others,
                     int64_t other) {
    if (!own.defined()) return false;
    const at::Tensor mask = others.defined() ? own.logical_and(others.logical_not()) : own;
    size_t ways = 1;
    for (size_t way = 0; way < ways; ++way) {
      bool seen = false;
      const auto answers = answers_with(from.value, [&](const at::Tensor& x) {
        seen = true;
        ways = ways_of(x);
        return draws_.others(from.start.defined() ? from.start : x, mask, way);
      });
      if (!seen) return true;
      if (answers && !(difference(from.answers[other], (*answers)[other]) <= kSame)) return true;
    }
    return false;
  }

  /// With another tensor in the place of a value. None where the model does not take it, as
  /// integers that are no places.
  std::optional<at::Tensor> answers_with(ir::ValueId value, const Exchanged& exchanged) const {
    bool seen = false;
    try {
      return walk_on_(kFirstPictures,
                      [&](ir::ValueId id, const at::Tensor& x) {
                        if (id == value && !seen) x.copy_(exchanged(x));
                        seen = seen || id == value;
                      })
          .logits;
    } catch (const ImportError&) {
      return std::nullopt;
    }
  }

  const WalkPictures& walk_on_;
  const at::Tensor answers_;
  Draws draws_;
};

}  // namespace

at::Tensor test_images(const std::vector<int64_t>& which, int64_t image_size, Pictures pictures) {
  std::vector<at::Tensor> all;
  for (const int64_t number : which) all.push_back(picture(number, image_size, pictures));
  return at::stack(all);
}

void check_images_apart(const at::Tensor& first, const at::Tensor& second, int64_t image_size,
                        const WalkOn& walk_on) {
  if (is_finite(first)) return check_walks(first, second, loud_walks(image_size, walk_on));
  const WalkPictures walk_calm = calm_walks(image_size, walk_on);
  const at::Tensor calm = walk_calm(kFirstPictures, nullptr).logits;
  if (is_finite(calm)) check_walks(calm, walk_calm(kSecondPictures, nullptr).logits, walk_calm);
}

void check_reach_apart(const ir::Graph& graph, const Places& places, const at::Tensor& first,
                       int64_t image_size, const WalkOn& walk_on) {
  const std::vector<Reach> reach = reach_of(graph, places);
  if (!meets(reach, graph.output)) return;
  const WalkPictures walks =
      is_finite(first) ? loud_walks(image_size, walk_on) : calm_walks(image_size, walk_on);
  Exchange exchange(walks);
  for (const ir::Node& node : graph.nodes) {
    if (!meets(reach, node.output())) continue;
    for (const ir::ValueId input : node.inputs) {
      const bool is_first = !meets(reach, input);
      if (is_first && exchange.reaches_other(input, reach[static_cast<size_t>(input)])) {
        refuse_meeting(graph, node.output());
      }
    }
  }
}

}  // namespace ptq::import
