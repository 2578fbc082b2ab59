#include "runtime/sweep/sweep_images.h"

#include <algorithm>

#include "ptq/base/error.h"

namespace ptq::runtime {

SweepImages take_images(const ActivationStore& store, int64_t at_once,
                        const std::function<std::optional<at::Tensor>()>& next_batch) {
  SweepImages images;
  int64_t source = 0;
  for (; const std::optional<at::Tensor> batch = next_batch(); ++source) {
    const int64_t count = batch->size(0);
    for (int64_t begin = 0; begin < count; begin += at_once) {
      const at::Tensor part = batch->narrow(0, begin, std::min(at_once, count - begin));
      images.batches.push_back(store.keep(part.clone(at::MemoryFormat::Contiguous)));
      images.sources.push_back(source);
    }
  }
  if (source == 0) throw DataError("there are no calibration images");
  return images;
}

}  // namespace ptq::runtime
