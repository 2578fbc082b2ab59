#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ptq/data/image_folder.h"
#include "ptq/data/loader.h"

/// Whether calibration images are what they should be: varied, like the validation images, and none
/// of them.
namespace ptq::data {

/// Classes of the drawn calibration images against those of validation. Classes are known by their
/// names: a folder that holds only some of them counts its labels differently.
struct ClassAudit {
  struct Count {
    std::string name;
    int64_t calibration = 0;
    int64_t validation = 0;
  };
  /// By name; classes of which neither set has an image are left out.
  std::vector<Count> classes;
  /// Drawn images; 0 where they have no labels, and then nothing but validation's is counted.
  int64_t images = 0;
  /// Classes with a calibration image, and with a validation image.
  int64_t calibration_classes = 0;
  int64_t validation_classes = 0;
  /// Classes of validation with a calibration image.
  int64_t covered = 0;
  /// exp(entropy) of the drawn classes: how many equally frequent ones would be as varied.
  double effective_classes = 0;
  /// Total variation between the two distributions of classes, 0 to 1, and a bound that two sets
  /// drawn from the same classes pass once in a thousand times at most.
  double distance = 0;
  double usual_distance = 0;
};

/// `drawn` are indices into calibration.items. The bound: E[TV] <= 1/2 sum_k sqrt(p_k (1 - p_k) v),
/// v = 1/n + 1/m for n drawn and m validation images, plus McDiarmid's sqrt(ln(1000) v / 2).
ClassAudit audit_classes(const ImageFolder& calibration, std::vector<int64_t> drawn,
                         const ImageFolder& validation);

/// Drawn images that are the same as others: files of the same bytes, or crops of the same pixels.
struct ContentAudit {
  struct Pair {
    /// A drawn calibration image, and the one drawn earlier or the validation image it equals.
    std::string calibration;
    std::string other;
  };
  std::vector<Pair> duplicates;
  /// Each drawn image once at most.
  std::vector<Pair> in_validation;
};

/// Reads the files whose size is not unique, `threads` at a time. Files that cannot be
/// read equal none.
ContentAudit audit_contents(const ImageFolder& calibration, const std::vector<int64_t>& drawn,
                            const ImageFolder& validation, int threads);

/// Adds the images that both loaders handed out and whose crops are equal though their files are
/// not: the same picture in another format, or with other metadata. An image that has an entry
/// already gets no second one.
void add_equal_crops(ContentAudit& audit, const Loader& calibration, const Loader& validation);

/// What a user should know of them, a sentence each: one class only; classes that validation does
/// not have; a distribution that chance does not explain; duplicates; images that are in validation
/// too. Nothing is said of classes where the validation set has only one.
std::vector<std::string> warnings_of(const ClassAudit& audit);
std::vector<std::string> warnings_of(const ContentAudit& audit);

}  // namespace ptq::data
