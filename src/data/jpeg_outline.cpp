#include "data/jpeg_outline.h"

#include <algorithm>
#include <cstring>

namespace ptq::data {
namespace {

enum Marker : uint8_t {
  kFirstFrame = 0xC0,
  kProgressive = 0xC2,
  kFirstRestart = 0xD0,
  kLastRestart = 0xD7,
  kStart = 0xD8,
  kEnd = 0xD9,
  kScan = 0xDA,
  kRestartInterval = 0xDD,
};

/// Reads on behind the last segment, marker by marker.
class Segments {
 public:
  explicit Segments(const FileBytes& file) : file_(file) {}

  /// The marker that comes next, 0 where there is none. Bytes FF before it fill up.
  uint8_t marker() {
    if (at_ + 1 >= file_.size() || file_[at_] != 0xFF) return 0;
    while (at_ < file_.size() && file_[at_] == 0xFF) ++at_;
    return at_ < file_.size() ? file_[at_++] : 0;
  }

  /// The bytes of a segment, behind its length; null where it does not end in the file.
  const uint8_t* segment(size_t& size) {
    if (at_ + 2 > file_.size()) return nullptr;
    const size_t length = static_cast<size_t>(file_[at_]) << 8 | file_[at_ + 1];
    if (length < 2 || length > file_.size() - at_) return nullptr;
    const uint8_t* bytes = file_.data() + at_ + 2;
    at_ += length;
    size = length - 2;
    return bytes;
  }

  size_t position() const { return at_; }

  /// Goes to the marker behind a scan's codes. In them, FF is followed by 0 or a restart.
  void skip_codes() {
    const uint8_t* const end = file_.data() + file_.size();
    for (const uint8_t* next = file_.data() + at_; next < end; next += 2) {
      next = static_cast<const uint8_t*>(std::memchr(next, 0xFF, static_cast<size_t>(end - next)));
      if (next == nullptr || next + 1 == end) break;
      const bool is_code = next[1] == 0 || (next[1] >= kFirstRestart && next[1] <= kLastRestart);
      if (is_code) continue;
      at_ = static_cast<size_t>(next - file_.data());
      return;
    }
    at_ = file_.size();
  }

 private:
  const FileBytes& file_;
  size_t at_ = 0;
};

/// Precision, height, width, components; of each its number, samples and table.
bool read_frame(const uint8_t* bytes, size_t size, JpegOutline& outline) {
  if (size < 6 || bytes[0] != 8 || outline.components != 0) return false;
  outline.height = int64_t{bytes[1]} << 8 | bytes[2];
  outline.width = int64_t{bytes[3]} << 8 | bytes[4];
  outline.components = bytes[5];
  for (size_t at = 7; at < size; at += 3) {
    outline.rows_of_sample = std::max<int64_t>(outline.rows_of_sample, bytes[at] & 0xF);
  }
  return true;
}

}  // namespace

JpegOutline jpeg_outline(const FileBytes& file) {
  JpegOutline outline;
  bool is_plain = true;
  Segments segments(file);
  if (segments.marker() != kStart) return outline;
  for (uint8_t marker = segments.marker(); marker != kEnd; marker = segments.marker()) {
    size_t size = 0;
    const bool has_segment = marker >= kFirstFrame && (marker < kFirstRestart || marker > kEnd);
    const uint8_t* bytes = has_segment ? segments.segment(size) : nullptr;
    if (bytes == nullptr) return outline;
    if (marker <= kProgressive && !read_frame(bytes, size, outline)) return outline;
    if (marker <= kProgressive) outline.height_at = static_cast<size_t>(bytes + 1 - file.data());
    if (marker == kProgressive || marker == kRestartInterval) is_plain = false;
    if (marker != kScan) continue;
    ++outline.scans;
    if (size < 1 || bytes[0] != outline.components) is_plain = false;
    segments.skip_codes();
    outline.codes_end = segments.position();
  }
  outline.is_one_pass = is_plain && outline.scans == 1;
  outline.is_whole = outline.scans > 0 && outline.width > 0 && outline.height > 0;
  return outline;
}

}  // namespace ptq::data
