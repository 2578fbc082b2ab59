#include <algorithm>
#include <map>
#include <thread>
#include <unordered_map>

#include "data/calibration_audit.h"
#include "data/each.h"
#include "data/item_file.h"
#include "ptq/base/error.h"

namespace ptq::data {
namespace {

struct File {
  const ImageFolder::Item* item = nullptr;
  uintmax_t size = 0;
  /// Empty where the size alone tells it from the others, or it cannot be read.
  std::string hash;
};

void find_sizes(std::vector<File>& files, int threads) {
  each(files.size(), threads, [&](size_t i) { files[i].size = size_of_item(*files[i].item); });
}

std::vector<File> files_of(const ImageFolder& folder, const std::vector<int64_t>& items) {
  std::vector<File> files;
  files.reserve(items.size());
  for (const int64_t item : items) {
    files.push_back({&folder.items.at(static_cast<size_t>(item)), 0, ""});
  }
  return files;
}

void hash_where_sizes_meet(std::vector<File>& drawn, std::vector<File>& validation, int threads) {
  std::unordered_map<uintmax_t, int> of_drawn, of_all;
  for (const File& file : drawn) {
    ++of_drawn[file.size];
    ++of_all[file.size];
  }
  for (const File& file : validation) ++of_all[file.size];
  std::vector<File*> wanted;
  for (std::vector<File>* files : {&drawn, &validation}) {
    for (File& file : *files) {
      if (of_drawn.count(file.size) > 0 && of_all.at(file.size) > 1) wanted.push_back(&file);
    }
  }
  each(wanted.size(), threads, [&](size_t i) {
    try {
      wanted[i]->hash = sha256_of_item(*wanted[i]->item);
    } catch (const DataError&) {
      // The loader says so, or leaves it out.
    }
  });
}

}  // namespace

ContentAudit audit_contents(const ImageFolder& calibration, const std::vector<int64_t>& drawn,
                            const ImageFolder& validation, int threads) {
  std::vector<int64_t> all(validation.items.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
  std::vector<File> own = files_of(calibration, drawn);
  std::vector<File> others = files_of(validation, all);
  find_sizes(own, threads);
  find_sizes(others, threads);
  hash_where_sizes_meet(own, others, threads);

  ContentAudit audit;
  std::unordered_map<std::string, const File*> seen, evaluated;
  for (const File& file : others) {
    if (!file.hash.empty()) evaluated.emplace(file.hash, &file);
  }
  for (const File& file : own) {
    if (file.hash.empty()) continue;
    const auto [earlier, is_new] = seen.emplace(file.hash, &file);
    if (!is_new) audit.duplicates.push_back({file.item->path, earlier->second->item->path});
    const auto other = evaluated.find(file.hash);
    if (other != evaluated.end())
      audit.in_validation.push_back({file.item->path, other->second->item->path});
  }
  return audit;
}

}  // namespace ptq::data
