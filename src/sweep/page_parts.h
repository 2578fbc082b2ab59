#pragma once

/// The fixed parts of results.html.
namespace ptq::sweep {

extern const char* const kPageStyle;
/// From <body> to the data.
extern const char* const kPageBody;
/// Reads the data, fills the summary, the table and the controls, and calls drawPlots().
extern const char* const kPageScript;
/// drawPlots(rows): one SVG a model.
extern const char* const kPlotScript;

}  // namespace ptq::sweep
