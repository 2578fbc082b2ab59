#include "cli/stages/cache_stage.h"

#include <string>

#include "workflow/shared_stages.h"

namespace ptq::cli {
namespace {

std::string words(const char* kind, const ContentCache::Counts& counts) {
  return std::string(kind) + " " + std::to_string(counts.found) + " found, " +
         std::to_string(counts.made) + " made";
}

}  // namespace

void finish_cache(Run& run) {
  ContentCache* cache = run.session.stages().cache.get();
  if (cache == nullptr) return;
  cache->flush();
  const report::CacheUse use = {cache->directory(), cache->take_counts(CacheKind::kCrop),
                                cache->take_counts(CacheKind::kAnswers),
                                cache->take_counts(CacheKind::kScales),
                                cache->take_counts(CacheKind::kChecks)};
  run.result.cache = use;
  for (const std::string& note : cache->take_notes()) run.log.warning(note);
  run.log.line("cache       " + use.directory + ": " + words("crops", use.crops) + "; " +
               words("answers", use.answers) + "; " + words("scales", use.scales) + "; " +
               words("checks", use.checks));
  if (!run.config.explain) return;
  for (const std::string& stage : run.result.from_cache) {
    run.log.line("  cache: " + stage + " was kept there");
  }
}

}  // namespace ptq::cli
