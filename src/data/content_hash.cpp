#include "data/content_hash.h"

#include <algorithm>

#include "base/hash.h"
#include "data/each.h"
#include "data/item_file.h"
#include "ptq/base/error.h"

namespace ptq::data {
std::vector<std::string> content_hashes(const ImageFolder& folder,
                                        const std::vector<int64_t>& items, int threads) {
  std::vector<std::string> hashes(items.size());
  each(items.size(), threads, [&](size_t i) {
    hashes[i] = sha256_of_item(folder.items.at(static_cast<size_t>(items[i])));
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
