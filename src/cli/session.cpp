#include "ptq/cli/session.h"

#include "cli/shared_stages.h"

namespace ptq::cli {

Session::Session(Runs runs) : stages_(std::make_unique<SharedStages>()) { stages_->runs = runs; }

Session::~Session() = default;

void Session::announce(std::vector<Settings> settings) { stages_->announced = std::move(settings); }

}  // namespace ptq::cli
