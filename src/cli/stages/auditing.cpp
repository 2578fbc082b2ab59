#include "cli/stages/auditing.h"

#include "base/text.h"

namespace ptq::cli {
namespace {

std::string summary(const data::ClassAudit& audit) {
  return "calibration classes: " + std::to_string(audit.covered) + " of the " +
         std::to_string(audit.validation_classes) + " in validation, as varied as " +
         fixed(audit.effective_classes, 1) + " equally frequent ones";
}

void say_all(Run& run, const data::ClassAudit& classes, const data::ContentAudit& contents) {
  run.log.line("calibration audit");
  for (const data::ClassAudit::Count& count : classes.classes) {
    run.log.line("  class " + count.name + ": " + std::to_string(count.calibration) +
                 " calibration, " + std::to_string(count.validation) + " validation images");
  }
  run.log.line("  distance from the classes of validation " + fixed(classes.distance, 3) +
               ", by chance below " + fixed(classes.usual_distance, 3));
  run.log.line("  " + std::to_string(contents.duplicates.size()) + " duplicates");
  for (const data::ContentAudit::Pair& pair : contents.duplicates) {
    run.log.line("    " + pair.calibration + " as " + pair.other);
  }
  run.log.line("  " + std::to_string(contents.in_validation.size()) + " also in validation");
  for (const data::ContentAudit::Pair& pair : contents.in_validation) {
    run.log.line("    " + pair.calibration + " as " + pair.other);
  }
}

}  // namespace

Auditing::Auditing(Run& run, ImageSets& images) {
  const data::Loader& drawn = images.calibration().loader();
  const data::ImageFolder& validation = images.validation().folder();
  classes_ = data::audit_classes(drawn.folder(), drawn.items(), validation);
  run.log.line(summary(classes_));
  const int threads = run.config.workers;
  contents_ = std::async(std::launch::async, [&drawn, &validation, threads] {
    return data::audit_contents(drawn.folder(), drawn.items(), validation, threads);
  });
}

void Auditing::finish(Run& run, ImageSets& images) {
  CalibrationAudit audit{classes_, contents_.get()};
  data::add_equal_crops(audit.contents, images.calibration().loader(),
                        images.validation().loader());
  for (const std::string& sentence : data::warnings_of(audit.classes)) run.log.warning(sentence);
  for (const std::string& sentence : data::warnings_of(audit.contents)) run.log.warning(sentence);
  if (run.settings.is_on("audit-calibration")) say_all(run, audit.classes, audit.contents);
  run.result.audit = std::move(audit);
}

}  // namespace ptq::cli
