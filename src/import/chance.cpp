#include "import/chance.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include <sstream>
#include <unordered_set>

#include "ptq/base/error.h"

namespace ptq::import {
namespace {

/// Operators that LibTorch itself does not mark.
bool is_named_after_chance(const std::string& name) {
  static const std::unordered_set<std::string> names = {"rand",
                                                        "randn",
                                                        "randint",
                                                        "randperm",
                                                        "rand_like",
                                                        "randn_like",
                                                        "bernoulli",
                                                        "normal",
                                                        "uniform",
                                                        "multinomial",
                                                        "exponential",
                                                        "randint_like",
                                                        "poisson",
                                                        "geometric",
                                                        "cauchy",
                                                        "log_normal",
                                                        "random",
                                                        "rrelu",
                                                        "binomial",
                                                        "rrelu_with_noise",
                                                        "_sample_dirichlet",
                                                        "_standard_gamma"};
  return names.count(name) > 0;
}

/// LibTorch marks what draws from a generator, also what only might.
bool is_marked(const c10::FunctionSchema& schema) {
  const auto found = c10::Dispatcher::singleton().findSchema(schema.operator_name());
  return found && found->hasTag(at::Tag::nondeterministic_seeded);
}

/// The name of the argument that says how much is dropped; nullptr if there is none.
const char* dropped_share(const Call& call) {
  for (const char* name : {"dropout_p", "dropout", "p"}) {
    const c10::IValue* value = call.find(name);
    if (value != nullptr && value->isDouble()) return name;
  }
  return nullptr;
}

/// A dropout that drops nothing is none: torchvision's Swin calls it so in evaluation mode.
bool is_idle(const Call& call) {
  for (const char* flag : {"train", "training"}) {
    if (call.has(flag) && call.argument(flag).isBool() && !call.flag(flag)) return true;
  }
  const char* share = dropped_share(call);
  return share != nullptr && call.number(share) == 0;
}

bool may_drop(const Call& call) {
  return call.find("dropout_p") != nullptr || call.find("dropout") != nullptr;
}

bool is_normalization(const std::string& name) {
  return name == "batch_norm" || name == "instance_norm" || name == "native_batch_norm";
}

/// Without running statistics a batch norm has no other way: influence.h tells whether images meet.
bool normalizes_as_in_training(const Call& call) {
  return is_normalization(call.name) && call.has("running_mean") && call.has("training") &&
         call.flag("training");
}

std::string text(double number) {
  std::ostringstream out;
  out << number;
  return out.str();
}

}  // namespace

void check_chance(const Call& call, bool follows, const std::string& place) {
  const char* advice = "; export the model after model.eval()";
  if (follows && normalizes_as_in_training(call)) {
    throw ImportError(place + " runs as in training" + advice);
  }
  const bool marked = is_marked(*call.schema);
  if (is_idle(call) || !(marked || may_drop(call) || is_named_after_chance(call.name))) return;
  if (const char* share = dropped_share(call)) {
    throw ImportError(place + " runs as in training: it drops at random (" + share + " " +
                      text(call.number(share)) + ")" + advice);
  }
  if (call.has("training") || call.has("train")) {
    throw ImportError(place + " runs as in training: it draws random numbers" + advice);
  }
  throw ImportError(place + " draws random numbers; a classifier in evaluation mode must not");
}

}  // namespace ptq::import
