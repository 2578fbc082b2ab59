#include "workflow/kept_calibration.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "quant/network_key.h"
#include "workflow/technique_stages.h"

namespace ptq::workflow {
namespace {

class Writer {
 public:
  void add(int64_t number) { append(&number, sizeof number); }
  void add(const std::string& text) {
    add(static_cast<int64_t>(text.size()));
    append(text.data(), text.size());
  }
  template <class T>
  void add(const std::vector<T>& numbers) {
    add(static_cast<int64_t>(numbers.size()));
    append(numbers.data(), numbers.size() * sizeof(T));
  }
  /// float32, or undefined.
  void add(const at::Tensor& tensor) {
    add(int64_t{tensor.defined()});
    if (!tensor.defined()) return;
    const at::Tensor plain = tensor.to(at::kCPU, at::kFloat).contiguous();
    add(plain.sizes().vec());
    append(plain.data_ptr<float>(), plain.nbytes());
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void append(const void* data, size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
  }
  std::string bytes_;
};

struct OtherForm : std::runtime_error {
  OtherForm() : std::runtime_error("not what a Writer wrote") {}
};

class Reader {
 public:
  explicit Reader(const ContentCache::Bytes& bytes)
      : next_(bytes.data.get()), end_(bytes.data.get() + bytes.size) {}

  int64_t number() {
    int64_t value = 0;
    take(&value, sizeof value);
    return value;
  }
  size_t count(size_t bytes_each) {
    const int64_t value = number();
    if (value < 0 || static_cast<size_t>(value) > static_cast<size_t>(end_ - next_) / bytes_each) {
      throw OtherForm();
    }
    return static_cast<size_t>(value);
  }
  std::string text() {
    std::string value(count(1), '\0');
    take(value.data(), value.size());
    return value;
  }
  template <class T>
  std::vector<T> numbers() {
    std::vector<T> values(count(sizeof(T)));
    take(values.data(), values.size() * sizeof(T));
    return values;
  }
  at::Tensor tensor() {
    if (number() == 0) return {};
    const at::Tensor value = at::empty(numbers<int64_t>(), at::kFloat);
    take(value.data_ptr<float>(), value.nbytes());
    return value;
  }

 private:
  void take(void* out, size_t size) {
    if (size > static_cast<size_t>(end_ - next_)) throw OtherForm();
    // Not memcpy, which takes no null: a scalar has no extents, and an empty vector no memory.
    std::copy_n(next_, size, static_cast<uint8_t*>(out));
    next_ += size;
  }
  const uint8_t* next_;
  const uint8_t* const end_;
};

bool is_on(const Context& context) {
  return context.session.stages().cache != nullptr && !context.contents.graph.empty() &&
         !context.contents.images.empty();
}

/// Empty where nothing is kept.
std::string key_of(const char* what, const QuantizeConfig& config, const Context& context) {
  if (!is_on(context)) return "";
  QuantizeConfig by_contents = config;
  std::string& file = by_contents.quantizers_file;
  if (!file.empty()) file = sha256_of_file(file);
  return sha256(what + calibrated_key(context.contents, by_contents));
}

void put(CacheKind kind, const std::string& key, const Writer& writer, const Context& context) {
  context.session.stages().cache->put(kind, key, writer.bytes().data(), writer.bytes().size());
}

/// Behind what a pass found, the hashes of the images it saw. Images that could not be read are
/// told of by every run anew.
void keep(const std::string& key, Writer& writer, const data::ImageSet& images,
          const Context& context) {
  std::vector<uint64_t> hashes;
  for (const data::Loader::SeenCrop& crop : images.loader().seen_crops()) {
    hashes.push_back(crop.hash);
  }
  if (key.empty() || static_cast<int64_t>(hashes.size()) != images.size()) return;
  writer.add(hashes);
  put(CacheKind::kScales, key, writer, context);
}

/// What `read` makes of the entry; nothing where there is none, or it has another form.
template <class Read>
auto found(CacheKind kind, const std::string& key, const Context& context, Read read)
    -> std::optional<decltype(read(std::declval<Reader&>()))> {
  if (key.empty()) return std::nullopt;
  const auto bytes = context.session.stages().cache->find(kind, key);
  if (!bytes) return std::nullopt;
  try {
    Reader reader(*bytes);
    return read(reader);
  } catch (const OtherForm&) {
    return std::nullopt;
  } catch (const std::out_of_range&) {
    return std::nullopt;
  }
}

template <class Read>
auto kept(const char* what, const std::string& key, const data::ImageSet& images,
          const Context& context, Read read)
    -> std::optional<decltype(read(std::declval<Reader&>()))> {
  const auto value = found(CacheKind::kScales, key, context, [&](Reader& reader) {
    auto made = read(reader);
    images.loader().recall(reader.numbers<uint64_t>());
    return made;
  });
  if (value && context.explain == Explain::kYes) {
    context.log.line(std::string("  cache: ") + what + " was kept there");
  }
  return value;
}

}  // namespace

std::optional<CalibratedActivations> kept_scales(const QuantizeConfig& config,
                                                 const data::ImageSet& images,
                                                 const Context& context) {
  return kept("calibration", key_of("scales", config, context), images, context,
              [](Reader& reader) {
                CalibratedActivations made;
                made.images = reader.number();
                made.scales.resize(reader.count(1));
                for (passes::ActivationScale& each : made.scales) {
                  each.node = reader.text();
                  each.scale = reader.tensor();
                  each.zero_point = reader.tensor();
                }
                return made;
              });
}

void keep_scales(const CalibratedActivations& made, const QuantizeConfig& config,
                 const data::ImageSet& images, const Context& context) {
  Writer writer;
  writer.add(made.images);
  writer.add(static_cast<int64_t>(made.scales.size()));
  for (const auto& [node, scale, zero_point] : made.scales) {
    writer.add(node);
    writer.add(scale);
    writer.add(zero_point);
  }
  keep(key_of("scales", config, context), writer, images, context);
}

std::optional<passes::LayerInputMeans> kept_means(const QuantizeConfig& config,
                                                  const data::ImageSet& images,
                                                  const Context& context) {
  return kept("bias correction's pass", key_of("means", config, context), images, context,
              [](Reader& reader) {
                passes::LayerInputMeans made;
                for (size_t left = reader.count(1); left > 0; --left) {
                  passes::LayerInputMean& mean = made[reader.text()];
                  mean.plain = reader.numbers<double>();
                  if (reader.number() != 0) mean.quantized = reader.numbers<double>();
                }
                return made;
              });
}

void keep_means(const passes::LayerInputMeans& made, const QuantizeConfig& config,
                const data::ImageSet& images, const Context& context) {
  Writer writer;
  writer.add(static_cast<int64_t>(made.size()));
  for (const auto& [layer, mean] :
       std::map<std::string, passes::LayerInputMean>(made.begin(), made.end())) {
    writer.add(layer);
    writer.add(mean.plain);
    writer.add(int64_t{mean.quantized.has_value()});
    if (mean.quantized) writer.add(*mean.quantized);
  }
  keep(key_of("means", config, context), writer, images, context);
}

at::Tensor check_logits(const ir::Graph& graph, const Context& context,
                        const std::function<at::Tensor()>& run) {
  if (!is_on(context)) return run();
  const std::string key = sha256("check" + context.contents.graph + context.contents.images +
                                 quant::network_key({graph, {}}));
  const auto kept =
      found(CacheKind::kChecks, key, context, [](Reader& reader) { return reader.tensor(); });
  if (kept) return *kept;
  const at::Tensor logits = run();
  Writer writer;
  writer.add(logits);
  put(CacheKind::kChecks, key, writer, context);
  return logits;
}

}  // namespace ptq::workflow
