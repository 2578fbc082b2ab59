#include "import/influence.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <map>

#include "import/messages.h"
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

/// The images' own places, where there is one row an image, and otherwise any: `first_other` and
/// `second_other` are walks whose first and whose second picture is another one.
bool meets(const at::Tensor& base, const at::Tensor& first_other, const at::Tensor& second_other) {
  const at::Tensor by_first = changed(base, first_other), by_second = changed(base, second_other);
  if (by_first.defined() && by_second.defined() &&
      by_first.logical_and(by_second).any().item<bool>()) {
    return true;
  }
  const bool rows = base.dim() == 2 && base.size(0) == 2;
  return rows && ((by_first.defined() && by_first[1].any().item<bool>()) ||
                  (by_second.defined() && by_second[0].any().item<bool>()));
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

}  // namespace

at::Tensor test_images(const std::vector<int64_t>& which, int64_t image_size, Pictures pictures) {
  std::vector<at::Tensor> all;
  for (const int64_t number : which) all.push_back(picture(number, image_size, pictures));
  return at::stack(all);
}

bool check_images_apart(const at::Tensor& first, const at::Tensor& second, int64_t image_size,
                        const WalkOn& walk_on) {
  if (is_finite(first)) {
    check_walks(first, second, [&](const std::vector<int64_t>& which, const Seen& seen) {
      return walk_on(test_images(which, image_size), seen, Products::kSampled);
    });
    return true;
  }
  const WalkPictures walk_calm = [&](const std::vector<int64_t>& which, const Seen& seen) {
    return walk_on(test_images(which, image_size, Pictures::kCalm), seen, Products::kExact);
  };
  const at::Tensor calm = walk_calm(kFirstPictures, nullptr).logits;
  if (!is_finite(calm)) return false;
  check_walks(calm, walk_calm(kSecondPictures, nullptr).logits, walk_calm);
  return true;
}

}  // namespace ptq::import
