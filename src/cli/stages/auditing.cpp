#include "cli/stages/auditing.h"

#include "base/text.h"
#include "report/result_lines.h"

namespace ptq::cli {
namespace {

std::string summary(const data::ClassAudit& audit) {
  if (audit.images == 0) return "calibration images have no labels: classes are not compared";
  return "calibration classes: " + std::to_string(audit.covered) + " of the " +
         std::to_string(audit.validation_classes) + " in validation, as varied as " +
         fixed(audit.effective_classes, 1) + " equally frequent ones";
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
  if (run.settings.is_on("audit-calibration")) {
    for (const std::string& line : report::audit_lines(audit)) run.log.line(line);
  }
  run.result.audit = std::move(audit);
}

}  // namespace ptq::cli
