#include "data/imagenet_labels.h"

#include <algorithm>
#include <map>

#include "data/devkit.h"
#include "data/label_table.h"
#include "ptq/base/error.h"

namespace ptq::data {
namespace {

namespace fs = std::filesystem;

std::string first_word(const std::string& text) {
  return text.substr(0, text.find_first_of(" \t"));
}

/// The number at the end of ILSVRC2012_val_00000001.
size_t number_of(const std::string& path) {
  const std::string stem = fs::path(path).stem().string();
  const size_t begin = stem.find_last_not_of("0123456789") + 1;
  const std::string digits = stem.substr(begin);
  return digits.empty() || digits.size() > 9 ? 0 : std::stoul(digits);
}

/// One class an image, in the order of the images' numbers.
class Lines {
 public:
  explicit Lines(const fs::path& file) : file_(file) {
    for_each_line(file, [&](int line, const std::string& text) { lines_.push_back({text, line}); });
    const bool numbers = std::all_of(lines_.begin(), lines_.end(), [](const NamedClass& each) {
      return each.name.find_first_not_of("0123456789") == std::string::npos;
    });
    if (!numbers) return;
    const std::vector<std::string> synsets = devkit_synsets(file.parent_path());
    if (synsets.empty()) {
      throw DataError(file.string() +
                      " holds numbers of the devkit, which its meta.mat explains, or a synsets.txt "
                      "with a class a line in the devkit's order; neither is beside it");
    }
    for (NamedClass& each : lines_) each.name = synset(synsets, each);
    classes_ = synsets;
  }

  const std::vector<std::string>& classes() const { return classes_; }
  const NamedClass* find(const std::string& path) const {
    const size_t number = number_of(path);
    return number < 1 || number > lines_.size() ? nullptr : &lines_[number - 1];
  }

 private:
  std::string synset(const std::vector<std::string>& synsets, const NamedClass& each) const {
    const size_t number = each.name.size() > 9 ? 0 : std::stoul(each.name);
    if (number >= 1 && number <= synsets.size()) return synsets[number - 1];
    refuse_line(file_, each.line, "the devkit has no class " + each.name);
  }

  const fs::path file_;
  std::vector<NamedClass> lines_;
  std::vector<std::string> classes_;
};

/// Classes that a list beside `file` or above it names, in their order: Kaggle's, Tiny ImageNet's.
std::vector<std::string> listed_classes(const fs::path& file) {
  std::vector<std::string> classes;
  const fs::path folder = fs::absolute(file).parent_path();
  for (const fs::path& list : {folder / "LOC_synset_mapping.txt", folder / "wnids.txt",
                               folder.parent_path() / "wnids.txt"}) {
    if (!classes.empty() || !fs::is_regular_file(list)) continue;
    for_each_line(list, [&](int, const std::string& text) { classes.push_back(first_word(text)); });
  }
  std::sort(classes.begin(), classes.end());
  return classes;
}

bool is_number(const std::string& name) {
  return !name.empty() && name.size() <= 6 &&
         name.find_first_not_of("0123456789") == std::string::npos;
}

/// Gives each name its class, and returns all classes: names that all are numbers are the classes'
/// own, as in a labels.txt; others are numbered in their order.
std::vector<std::string> number_classes(std::map<std::string, int64_t>& names) {
  std::vector<std::string> classes;
  const bool are_numbers = std::all_of(names.begin(), names.end(),
                                       [](const auto& each) { return is_number(each.first); });
  for (auto& [name, number] : names) {
    number = are_numbers ? std::stol(name) : static_cast<int64_t>(classes.size());
    if (!are_numbers) classes.push_back(name);
    while (are_numbers && static_cast<int64_t>(classes.size()) <= number) {
      classes.push_back(std::to_string(classes.size()));
    }
  }
  return classes;
}

template <class Find>
ImageFolder labelled(std::vector<ImageFolder::Item> images, const fs::path& file,
                     std::vector<std::string> classes, const Find& find) {
  std::map<std::string, int64_t> numbers;
  if (classes.empty()) {
    for (const ImageFolder::Item& image : images) {
      if (const NamedClass* label = find(image.path)) numbers[label->name];
    }
    classes = number_classes(numbers);
  }
  for (size_t i = 0; i < classes.size(); ++i) numbers[classes[i]] = static_cast<int64_t>(i);
  for (ImageFolder::Item& image : images) {
    const NamedClass* label = find(image.path);
    if (label == nullptr) throw MissingLabel(image.path + " has no label in " + file.string());
    const auto number = numbers.find(label->name);
    if (number == numbers.end()) {
      refuse_line(file, label->line, "there is no class '" + label->name + "'");
    }
    image.label = number->second;
  }
  ImageFolder folder;
  folder.classes = std::move(classes);
  folder.items = std::move(images);
  return folder;
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::optional<fs::path> find_imagenet_labels(const fs::path& folder) {
  const fs::path here = fs::absolute(folder / ".").lexically_normal().parent_path();
  const fs::path above = here.parent_path();
  const fs::path numbers = "ILSVRC2012_validation_ground_truth.txt";
  for (const fs::path& place : {here, above, above.parent_path()}) {
    for (const fs::path& name :
         {fs::path("LOC_val_solution.csv"), fs::path("labels.csv"), fs::path(kAnnotations), numbers,
          fs::path(kDevkitFolder) / "data" / numbers,
          fs::path("imagenet_2012_validation_synset_labels.txt")}) {
      if (fs::is_regular_file(place / name)) return place / name;
    }
  }
  return std::nullopt;
}

ImageFolder label_by_imagenet(std::vector<ImageFolder::Item> images, const fs::path& file,
                              ClassNames names) {
  if (file.extension() == ".csv" || file.filename() == kAnnotations) {
    const LabelTable table = read_label_table(file);
    const auto find = [&](const std::string& path) {
      const auto found = table.classes.find(fs::path(path).stem().string());
      return found == table.classes.end() ? nullptr : &found->second;
    };
    if (names.names.empty()) names.names = listed_classes(file);
    ImageFolder folder = labelled(std::move(images), file, std::move(names.names), find);
    folder.listed_again = table.listed_again;
    return folder;
  }
  const Lines lines(file);
  if (names.names.empty()) names.names = sorted(lines.classes());
  return labelled(std::move(images), file, std::move(names.names),
                  [&](const std::string& path) { return lines.find(path); });
}

}  // namespace ptq::data
