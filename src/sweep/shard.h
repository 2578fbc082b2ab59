#pragma once

#include <string>
#include <vector>

namespace ptq::sweep {

/// One of several processes that divide a sweep, counted from 1.
struct Shard {
  int number = 1;
  int of = 1;

  bool is_whole() const { return of == 1; }
};

/// "2/4". Throws ConfigError.
Shard parse_shard(const std::string& text);

/// Its share of `order`: a contiguous piece, so that neighbours in the tree stay together; pieces
/// differ by one in length.
std::vector<size_t> share_of(const Shard& shard, const std::vector<size_t>& order);

/// journal.csv, or journal-2-of-4.csv.
std::string journal_name(const Shard& shard);

}  // namespace ptq::sweep
