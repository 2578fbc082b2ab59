// Writes Fashion-MNIST as an image folder, the form in which ptq_imagenet_val reads images:
//   OUT/calibration/0-t-shirt-top/00001.png ...   from the training split
//   OUT/validation/0-t-shirt-top/00019.png ...    from the test split
// A file's number is its position in the split. The folders sort in the order of the labels. OUT
// appears complete or not at all.

#include <png.h>
#include <zlib.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "ptq/base/error.h"

namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 10> kClassFolders = {
    "0-t-shirt-top", "1-trouser", "2-pullover", "3-dress", "4-coat",
    "5-sandal",      "6-shirt",   "7-sneaker",  "8-bag",   "9-ankle-boot"};
constexpr std::size_t kSide = 28;
constexpr std::size_t kPixels = kSide * kSide;
constexpr std::size_t kMaxCount = 1'000'000;

struct Options {
  std::string source = "/usr/share/datasets/fashion-mnist";
  std::string out;
  std::size_t calibration_per_class = 50;
  std::size_t validation_per_class = 1000;
};

struct Split {
  std::vector<std::uint8_t> pixels;  // [N, 28, 28]
  std::vector<std::uint8_t> labels;  // [N], each below 10
};

struct CloseGzip {
  void operator()(gzFile_s* file) const { gzclose_r(file); }
};

/// One IDX file of bytes, read through gzip.
class IdxFile {
 public:
  explicit IdxFile(const fs::path& path) : path_(path.string()), file_(gzopen(path.c_str(), "rb")) {
    if (!file_) {
      throw ptq::DataError(path_ + ": cannot be opened (it is in Debian's dataset-fashion-mnist)");
    }
  }

  void expect(std::uint32_t value, const std::string& what) {
    const std::uint32_t found = read_number();
    if (found != value) {
      throw ptq::DataError(path_ + ": not the expected IDX file: its " + what + " is " +
                           std::to_string(found) + ", not " + std::to_string(value));
    }
  }

  std::size_t read_count() {
    const std::size_t count = read_number();
    if (count > kMaxCount) {
      throw ptq::DataError(path_ + ": announces " + std::to_string(count) +
                           " entries, more than the " + std::to_string(kMaxCount) + " allowed");
    }
    return count;
  }

  /// All that is left of the file, which must be `size` bytes.
  std::vector<std::uint8_t> read_rest(std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    read(bytes.data(), size);
    if (gzgetc(file_.get()) != -1) throw ptq::DataError(path_ + ": longer than its header says");
    return bytes;
  }

  const std::string& path() const { return path_; }

 private:
  std::uint32_t read_number() {
    std::array<std::uint8_t, 4> bytes{};
    read(bytes.data(), bytes.size());
    return std::uint32_t{bytes[0]} << 24U | std::uint32_t{bytes[1]} << 16U |
           std::uint32_t{bytes[2]} << 8U | std::uint32_t{bytes[3]};
  }

  void read(std::uint8_t* target, std::size_t size) {
    const std::size_t got = gzfread(target, 1, size, file_.get());
    if (got != size) throw ptq::DataError(path_ + ": damaged or cut short");
  }

  std::string path_;
  std::unique_ptr<gzFile_s, CloseGzip> file_;
};

std::vector<std::uint8_t> read_images(const fs::path& path) {
  IdxFile file(path);
  file.expect(0x803, "magic number");
  const std::size_t count = file.read_count();
  file.expect(kSide, "image height");
  file.expect(kSide, "image width");
  return file.read_rest(count * kPixels);
}

std::vector<std::uint8_t> read_labels(const fs::path& path) {
  IdxFile file(path);
  file.expect(0x801, "magic number");
  std::vector<std::uint8_t> labels = file.read_rest(file.read_count());
  for (const std::uint8_t label : labels) {
    if (label >= kClassFolders.size()) {
      throw ptq::DataError(path.string() + ": label " + std::to_string(label) +
                           " is not one of the 10 classes");
    }
  }
  return labels;
}

/// `prefix` is "train" or "t10k", the names of the two splits' files.
Split read_split(const fs::path& source, const std::string& prefix) {
  const fs::path image_path = source / (prefix + "-images-idx3-ubyte.gz");
  Split split{read_images(image_path), read_labels(source / (prefix + "-labels-idx1-ubyte.gz"))};
  if (split.pixels.size() != split.labels.size() * kPixels) {
    throw ptq::DataError(image_path.string() + ": " +
                         std::to_string(split.pixels.size() / kPixels) + " images, but " +
                         std::to_string(split.labels.size()) + " labels beside it");
  }
  return split;
}

void write_png(const fs::path& path, const std::uint8_t* pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = kSide;
  image.height = kSide;
  image.format = PNG_FORMAT_GRAY;
  if (png_image_write_to_file(&image, path.c_str(), 0, pixels, 0, nullptr) == 0) {
    throw ptq::OutputError(path.string() + ": cannot be written (" + image.message + ")");
  }
}

std::string file_name(std::size_t index) {
  std::ostringstream name;
  name << std::setw(5) << std::setfill('0') << index << ".png";
  return name.str();
}

/// The first `per_class` images of each class, in the order of the split.
void write_split(const Split& split, std::size_t per_class, const fs::path& folder) {
  for (const char* name : kClassFolders) fs::create_directories(folder / name);
  std::array<std::size_t, kClassFolders.size()> written{};
  for (std::size_t index = 0; index < split.labels.size(); ++index) {
    const std::size_t label = split.labels[index];
    if (written[label] == per_class) continue;
    write_png(folder / kClassFolders[label] / file_name(index), &split.pixels[index * kPixels]);
    ++written[label];
  }
  for (std::size_t label = 0; label < written.size(); ++label) {
    if (written[label] == per_class) continue;
    throw ptq::DataError(std::string(kClassFolders[label]) + ": " + std::to_string(per_class) +
                         " images were requested for the " + folder.filename().string() +
                         " folder, the split has " + std::to_string(written[label]));
  }
}

/// A new empty folder beside the target, so that a rename is enough at the end; removed with
/// whatever is still in it.
class WorkFolder {
 public:
  explicit WorkFolder(const fs::path& target) {
    std::string name = target.string() + ".partial-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) {
      throw ptq::OutputError(target.string() + ": cannot be created (" + std::strerror(errno) +
                             ")");
    }
    path_ = name;
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Absolute and without a slash at the end, so that names can be made from it.
fs::path target_folder(const std::string& out) {
  const fs::path target = fs::absolute(out).lexically_normal();
  return target.has_filename() ? target : target.parent_path();
}

void extract(const Options& options) {
  const fs::path out = target_folder(options.out);
  if (fs::exists(out)) throw ptq::OutputError(options.out + ": exists already");
  const Split train = read_split(options.source, "train");
  const Split test = read_split(options.source, "t10k");

  const WorkFolder work(out);
  const fs::path images = work.path() / "images";
  write_split(train, options.calibration_per_class, images / "calibration");
  write_split(test, options.validation_per_class, images / "validation");
  fs::rename(images, out);
  std::cout << out.string() << ": " << options.calibration_per_class * kClassFolders.size()
            << " calibration images, " << options.validation_per_class * kClassFolders.size()
            << " validation images\n";
}

int exit_code(ptq::ExitCode code) { return static_cast<int>(code); }

int report(const std::string& message, ptq::ExitCode code) {
  std::cerr << "extract_fashion_mnist: " << message << '\n';
  return exit_code(code);
}

void add_options(CLI::App& app, Options& options) {
  app.add_option("--source", options.source, "Folder of the four .gz files")->capture_default_str();
  app.add_option("--out", options.out, "Folder to write; must not exist")->required();
  app.add_option("--calibration-per-class", options.calibration_per_class,
                 "Images of each class from the training split")
      ->check(CLI::Range(1, 6000))
      ->capture_default_str();
  app.add_option("--validation-per-class", options.validation_per_class,
                 "Images of each class from the test split")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
}

}  // namespace

// Whatever fails before the options are set up may end the program.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  CLI::App app("Writes Fashion-MNIST as an image folder for ptq_imagenet_val");
  Options options;
  add_options(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked_for_help = error.get_exit_code() == 0;
    if (asked_for_help) return app.exit(error);
    return report(error.what(), ptq::ExitCode::kUsage);
  }
  try {
    extract(options);
  } catch (const ptq::Error& error) {
    return report(error.what(), error.exit_code());
  } catch (const fs::filesystem_error& error) {
    return report(error.what(), ptq::ExitCode::kOutput);
  } catch (const std::exception& error) {
    return report(error.what(), ptq::ExitCode::kInternal);
  }
  return exit_code(ptq::ExitCode::kSuccess);
}
