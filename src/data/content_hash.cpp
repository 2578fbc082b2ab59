#include "ptq/data/content_hash.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "ptq/base/error.h"
#include "ptq/base/hash.h"

namespace ptq::data {
namespace {

/// Calls work(0) .. work(count - 1) on `threads` threads; the first exception ends it.
template <class Work>
void each(size_t count, int threads, const Work& work) {
  std::atomic<size_t> next = 0;
  std::exception_ptr failure;
  std::mutex mutex;
  const auto loop = [&] {
    for (size_t i = next++; i < count; i = next++) {
      try {
        work(i);
      } catch (...) {
        next = count;
        const std::lock_guard<std::mutex> lock(mutex);
        if (!failure) failure = std::current_exception();
      }
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(loop);
  loop();
  for (std::thread& thread : others) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

std::vector<std::string> content_hashes(const ImageFolder& folder,
                                        const std::vector<int64_t>& items, int threads) {
  std::vector<std::string> hashes(items.size());
  each(items.size(), threads, [&](size_t i) {
    hashes[i] = sha256_of_file(folder.items.at(static_cast<size_t>(items[i])).path);
  });
  return hashes;
}

std::string data_hash(const std::vector<std::string>& hashes, const std::vector<int64_t>& labels) {
  if (hashes.size() != labels.size()) throw InternalError("as many hashes as labels are needed");
  std::vector<std::string> lines;
  for (size_t i = 0; i < hashes.size(); ++i) {
    lines.push_back(hashes[i] + " " + std::to_string(labels[i]) + "\n");
  }
  std::sort(lines.begin(), lines.end());
  Sha256 hash;
  for (const std::string& line : lines) hash.add(line);
  return hash.hex();
}

}  // namespace ptq::data
