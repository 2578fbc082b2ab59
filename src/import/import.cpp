#include "import/import.h"

#include <torch/csrc/jit/api/module.h>

#include <filesystem>
#include <new>

#include "base/first_sentence.h"
#include "base/limits.h"
#include "base/supervisor.h"
#include "import/batch_end.h"
#include "import/guard/budget.h"
#include "import/guard/model_file.h"
#include "import/influence.h"
#include "import/load.h"
#include "import/load_reason.h"
#include "import/messages.h"
#include "import/reconcile.h"
#include "import/walk.h"
#include "ptq/base/error.h"

namespace ptq::import {
namespace {

constexpr double kSecondsOfOneOperator = 2;

Walked walk_pictures(const torch::jit::Module& module, const ModuleNames& names,
                     const at::Tensor& images, const Seen& seen = nullptr,
                     Products products = Products::kSampled) {
  try {
    return walk(module, names, images, seen, products);
  } catch (const ImportError& error) {
    throw ImportError(std::string(error.what()) + ", given images " + shape_text(images.sizes()));
  }
}

bool takes_one_image(const torch::jit::Module& module, const ModuleNames& names,
                     int64_t image_size) {
  try {
    walk(module, names, test_images({0}, image_size));
    return true;
  } catch (const ImportError&) {
    return false;
  }
}

/// Two images first: a batch of one would hide broadcasting over the batch.
Walked walk_two(const torch::jit::Module& module, const ModuleNames& names, int64_t image_size,
                Places& places) {
  const Seen keep_places = [&](ir::ValueId id, const at::Tensor& x) {
    if (!x.is_floating_point()) places[id] = x.clone();
  };
  try {
    return walk_pictures(module, names, test_images(kFirstPictures, image_size), keep_places);
  } catch (const ImportError& error) {
    if (!takes_one_image(module, names, image_size)) throw;
    throw ImportError(std::string("takes batches of one image alone (a trace has the batch size it "
                                  "was made with; trace with two images, or script): ") +
                      error.what());
  }
}

void check_output(const ir::Graph& graph) {
  const ir::Dims& shape = graph.values[static_cast<size_t>(graph.output)].shape;
  if (shape.size() == 2 && shape[0] == ir::Dim{1, true} && !shape[1].times_batch) return;
  std::vector<int64_t> seen = ir::at_batch(shape, kFirstBatch);
  throw ImportError("forward returns " + shape_text(seen) + " for " + std::to_string(kFirstBatch) +
                    " images instead of one row of logits per image");
}

ir::Graph reconciled(const ir::Graph& first, const ir::Graph& second) {
  try {
    ir::Graph graph = reconcile(first, second);
    ir::remove_dead_nodes(graph);
    check_output(graph);
    return graph;
  } catch (const ImportError&) {
    check_batch_stays_whole(first, second);
    throw;
  }
}

ir::Graph import_module(torch::jit::Module module, int64_t image_size,
                        std::vector<std::string>& notes) {
  Precisions precisions;
  make_plain(module, precisions);
  check_forward(module);
  const ModuleNames names = names_of(module);
  Places places;
  const Walked first = walk_two(module, names, image_size, places);
  const Walked second = walk_pictures(module, names, test_images(kSecondPictures, image_size));
  ir::Graph graph = reconciled(first.graph, second.graph);
  ir::verify(graph);
  const WalkOn walk_on = [&](const at::Tensor& images, const Seen& seen, Products products) {
    return walk_pictures(module, names, images, seen, products);
  };
  check_images_apart(first.logits, second.logits, image_size, walk_on);
  check_reach_apart(graph, places, first.logits, image_size, walk_on);
  precisions.insert(first.precisions.begin(), first.precisions.end());
  const std::string note = precision_note(precisions);
  if (!note.empty()) notes.push_back(note);
  return graph;
}

ir::Graph read_and_walk(const std::string& path, const ImportOptions& options,
                        std::vector<std::string>& notes) {
  std::error_code absent;  // as the check will say
  const uint64_t size = std::filesystem::file_size(path, absent);
  const uint64_t bytes = absent ? 0 : size;
  // The walk notices by itself when its time is over, unless one operator takes it all.
  const double most = Budget::most_seconds(bytes, options.image_size);
  const double seconds = options.trust == ModelTrust::kTrust ? 0 : most + kSecondsOfOneOperator;
  const Risk risk(ExitCode::kModel, path + ": LibTorch crashed while it read this file", seconds,
                  path +
                      ": reading it takes longer than any network should; --trust-model lifts "
                      "the limit");
  const Budget budget(options.trust, bytes, options.image_size);
  check_model_file(path, options.trust);
  return import_module(load_module(path), options.image_size, notes);
}

bool speaks_of_memory(const std::string& words) {
  return words.find("allocate memory") != std::string::npos ||
         words.find("not enough memory") != std::string::npos;
}

[[noreturn]] void refuse_memory(const std::string& path) {
  if (memory_is_limited()) {
    throw SystemError(path + " takes more memory to read than there is: " + memory_limits() + "; " +
                      memory_advice());
  }
  throw ImportError(path +
                    ": takes more memory to read than any network should; --trust-model "
                    "lifts the limit");
}

}  // namespace

ir::Graph import_torchscript(const std::string& path, const ImportOptions& options,
                             std::vector<std::string>& notes) {
  try {
    return read_and_walk(path, options, notes);
  } catch (const ImportError& error) {
    if (memory_is_limited() && speaks_of_memory(error.what())) refuse_memory(path);
    throw ImportError(path + ": " + error.what());
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    refuse_memory(path);
  } catch (const std::exception& error) {
    if (speaks_of_memory(first_sentence(error))) refuse_memory(path);
    // LibTorch says what is wrong with a file in many ways, and in words of its own.
    throw ImportError(path + ": LibTorch cannot use it: " + load_reason(error));
  }
}

ir::Graph import_torchscript(const std::string& path, const ImportOptions& options) {
  std::vector<std::string> unread;
  return import_torchscript(path, options, unread);
}

}  // namespace ptq::import
