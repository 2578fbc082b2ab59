#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

/// GPTQ, GPFQ and Qronos as the papers (and reference-contract 6.7 to 6.9) write them down, one
/// weight after another in float64, with explicit inverses: slow, and nothing in common with how
/// the program computes.
namespace ptq::passes::testing {

using Row = std::vector<double>;
using Grid = std::vector<Row>;
/// What a weight of row `out` and column `column` is rounded to.
using Round = std::function<double(size_t out, size_t column, double weight)>;

inline Grid zeros(size_t rows, size_t columns) { return Grid(rows, Row(columns, 0.0)); }

inline Grid grid_of(const at::Tensor& matrix) {
  const at::Tensor rows = matrix.to(at::kDouble).contiguous();
  Grid grid;
  for (int64_t i = 0; i < rows.size(0); ++i) {
    const double* const data = rows.data_ptr<double>() + i * rows.size(1);
    grid.emplace_back(data, data + rows.size(1));
  }
  return grid;
}

/// Sum of x[i] y[j] over columns.
inline Grid outer(const Grid& x, const Grid& y) {
  Grid sum = zeros(x.size(), y.size());
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t j = 0; j < y.size(); ++j) {
      sum[i][j] = std::inner_product(x[i].begin(), x[i].end(), y[j].begin(), 0.0);
    }
  }
  return sum;
}

/// Gauss-Jordan with the largest pivot.
inline Grid inverse(Grid a) {
  const size_t n = a.size();
  Grid b = zeros(n, n);
  for (size_t i = 0; i < n; ++i) b[i][i] = 1;
  for (size_t c = 0; c < n; ++c) {
    size_t pivot = c;
    for (size_t r = c; r < n; ++r) pivot = std::abs(a[r][c]) > std::abs(a[pivot][c]) ? r : pivot;
    std::swap(a[c], a[pivot]);
    std::swap(b[c], b[pivot]);
    const double value = a[c][c];
    for (size_t k = 0; k < n; ++k) a[c][k] /= value, b[c][k] /= value;
    for (size_t r = 0; r < n; ++r) {
      const double factor = a[r][c];
      if (r == c || factor == 0) continue;
      for (size_t k = 0; k < n; ++k) a[r][k] -= factor * a[c][k], b[r][k] -= factor * b[c][k];
    }
  }
  return b;
}

inline std::vector<size_t> order_of(const Grid& h, bool act_order) {
  std::vector<size_t> order(h.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (act_order) {
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return h[a][a] > h[b][b]; });
  }
  return order;
}

/// Optimal brain quantization of the columns `order[first]` and on: each error moves to the columns
/// still to come by the inverse of what is left of the Hessian.
inline void spread_errors(Grid& w, const Grid& h, const std::vector<size_t>& order, size_t first,
                          const Round& round) {
  for (size_t t = first; t < order.size(); ++t) {
    const size_t left = order.size() - t;
    Grid rest = zeros(left, left);
    for (size_t i = 0; i < left; ++i) {
      for (size_t j = 0; j < left; ++j) rest[i][j] = h[order[t + i]][order[t + j]];
    }
    const Grid inv = inverse(rest);
    for (size_t out = 0; out < w.size(); ++out) {
      const double q = round(out, order[t], w[out][order[t]]);
      const double error = (w[out][order[t]] - q) / inv[0][0];
      for (size_t i = 1; i < left; ++i) w[out][order[t + i]] -= error * inv[i][0];
      w[out][order[t]] = q;
    }
  }
}

inline void remove_dead_columns(Grid& w, const Grid& h) {
  for (Row& row : w) {
    for (size_t c = 0; c < h.size(); ++c) row[c] = h[c][c] == 0 ? 0 : row[c];
  }
}

/// `x` [K, n].
inline Grid gptq(Grid w, const Grid& x, bool act_order, const Round& round) {
  Grid h = outer(x, x);
  for (Row& row : h) {
    for (double& value : row) value *= 2 / static_cast<double>(x[0].size());
  }
  remove_dead_columns(w, h);
  double mean = 0;
  for (size_t c = 0; c < h.size(); ++c) {
    if (h[c][c] == 0) h[c][c] = 1;
    mean += h[c][c] / static_cast<double>(h.size());
  }
  const std::vector<size_t> order = order_of(h, act_order);
  for (size_t c = 0; c < h.size(); ++c) h[c][c] += 0.01 * mean;
  spread_errors(w, h, order, 0, round);
  return w;
}

/// `h` = sum of x xᵀ, `g` = sum of x fᵀ; returns what is rounded.
inline Grid gpfq(const Grid& original, const Grid& h, const Grid& g, bool act_order,
                 const Round& round) {
  Grid w = original, q = original;
  remove_dead_columns(w, h);
  const std::vector<size_t> order = order_of(h, act_order);
  for (size_t t = 0; t < order.size(); ++t) {
    const size_t c = order[t];
    for (size_t out = 0; out < w.size(); ++out) {
      double value = g[c][c] * w[out][c];
      for (size_t j = 0; j < t; ++j) {
        value += original[out][order[j]] * g[c][order[j]] - q[out][order[j]] * h[c][order[j]];
      }
      w[out][c] = h[c][c] == 0 ? 0 : value / h[c][c];
      q[out][c] = round(out, c, w[out][c]);
    }
  }
  return q;
}

inline Grid qronos(const Grid& original, const Grid& h, const Grid& g, double damping,
                   bool act_order, const Round& round) {
  Grid w = original;
  remove_dead_columns(w, h);
  if (damping == 0) return w;
  const std::vector<size_t> order = order_of(h, act_order);
  const size_t n = order.size(), c = order[0];
  Grid damped = h;
  for (size_t i = 0; i < n; ++i) damped[i][i] += damping;
  Grid rest = zeros(n - 1, n - 1);
  for (size_t i = 1; i < n; ++i) {
    for (size_t j = 1; j < n; ++j) rest[i - 1][j - 1] = damped[order[i]][order[j]];
  }
  const Grid inv = inverse(rest);
  for (size_t out = 0; out < w.size(); ++out) {
    double first = 0;
    for (size_t i = 0; i < n; ++i) first += original[out][i] * g[c][i];
    for (size_t i = 1; i < n; ++i) first -= w[out][order[i]] * h[c][order[i]];
    w[out][c] = round(out, c, first / h[c][c]);
    Row wanted(n - 1);
    for (size_t k = 1; k < n; ++k) {
      const size_t column = order[k];
      wanted[k - 1] = damping * original[out][column] - w[out][c] * h[c][column];
      for (size_t i = 0; i < n; ++i) wanted[k - 1] += original[out][i] * g[column][i];
    }
    for (size_t k = 1; k < n; ++k) {
      w[out][order[k]] = std::inner_product(wanted.begin(), wanted.end(), inv[k - 1].begin(), 0.0);
    }
  }
  spread_errors(w, damped, order, 1, round);
  return w;
}

}  // namespace ptq::passes::testing
