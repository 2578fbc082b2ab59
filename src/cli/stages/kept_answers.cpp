#include "cli/stages/kept_answers.h"

#include <ATen/ops/empty.h>

#include <cstring>

#include "base/environment.h"
#include "base/hash.h"
#include "quant/network_key.h"
#include "workflow/shared_stages.h"

namespace ptq::cli {
namespace {

/// Before the hashes of the crops and the logits, image by image.
struct Header {
  int64_t images = 0;
  int64_t classes = 0;

  size_t hash_bytes() const { return static_cast<size_t>(images) * sizeof(uint64_t); }
  size_t logit_bytes() const { return static_cast<size_t>(images * classes) * sizeof(float); }
  size_t bytes() const { return sizeof(Header) + hash_bytes() + logit_bytes(); }
};

std::string key_of(const options::Config& config, const EvaluationStage& stage,
                   const QuantizedNetwork& network, const std::string& images) {
  const runtime::Execution& execution = config.execution;
  const data::Recipe& recipe = config.recipe;
  // A plan cuts batches anew; the interpreter runs them as they come.
  const int64_t batch = execution.compile ? 0 : config.batch_size_validation;
  Sha256 key;
  key.add("answers 1\n").add(float_environment()).add(images);
  key.add({reinterpret_cast<const char*>(recipe.mean.data()), sizeof recipe.mean});
  key.add({reinterpret_cast<const char*>(recipe.std.data()), sizeof recipe.std});
  for (const int64_t part : {static_cast<int64_t>(execution.dtype), int64_t{execution.threads},
                             int64_t{execution.compile}, static_cast<int64_t>(execution.arithmetic),
                             static_cast<int64_t>(stage.numerics), batch}) {
    key.add(std::to_string(part) + " ");
  }
  return key.add(quant::network_key(network)).hex();
}

}  // namespace

KeptAnswers::KeptAnswers(Run& run, const EvaluationStage& stage, const QuantizedNetwork& network,
                         const data::ImageSet& images)
    : cache_(run.session.stages().cache.get()), images_(images) {
  if (cache_ == nullptr || !run.config.execution.device.is_cpu()) return;
  const std::string contents = images.loader().content_key();
  if (!contents.empty()) key_ = key_of(run.config, stage, network, contents);
}

std::optional<eval::Evaluation> KeptAnswers::find() const {
  if (!are_wanted()) return std::nullopt;
  const auto found = cache_->find(CacheKind::kAnswers, key_);
  Header header;
  if (!found || found->size < sizeof header) return std::nullopt;
  std::memcpy(&header, found->data.get(), sizeof header);
  if (header.images != images_.size() || found->size != header.bytes()) return std::nullopt;
  const uint8_t* bytes = found->data.get() + sizeof header;
  std::vector<uint64_t> hashes(static_cast<size_t>(header.images));
  std::memcpy(hashes.data(), bytes, header.hash_bytes());
  images_.loader().recall(hashes);
  const at::Tensor logits = at::empty({header.images, header.classes}, at::kFloat);
  std::memcpy(logits.data_ptr<float>(), bytes + header.hash_bytes(), header.logit_bytes());
  return eval::evaluation_of(logits, images_.folder(), images_.loader().items());
}

void KeptAnswers::keep(const eval::Evaluation& evaluation) const {
  const Header header{static_cast<int64_t>(evaluation.items.size()), evaluation.classes};
  if (!are_wanted() || header.images != images_.size()) return;
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  for (const data::Loader::SeenCrop& crop : images_.loader().seen_crops()) {
    bytes.append(reinterpret_cast<const char*>(&crop.hash), sizeof crop.hash);
  }
  bytes.append(reinterpret_cast<const char*>(evaluation.logits.data_ptr<float>()),
               header.logit_bytes());
  if (bytes.size() == header.bytes())
    cache_->put(CacheKind::kAnswers, key_, bytes.data(), bytes.size());
}

}  // namespace ptq::cli
