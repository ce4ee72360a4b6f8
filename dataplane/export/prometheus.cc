#include "dataplane/export/prometheus.h"

#include "api/base/text.h"

namespace portico::exporting {
namespace {

using observe::Family;
using observe::LabelValues;
using observe::MetricKind;

// In a label value `\`, `"` and the line feed are escaped; in a help text the quote is not.
void AppendEscaped(std::string& out, std::string_view text, bool quoted) {
  for (char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '\\' || (quoted && c == '"')) out += '\\';
      out += c;
    }
  }
}

// Exact: microseconds have at most six decimals, and trailing zeros go.
std::string Seconds(uint64_t microseconds) {
  std::string text = base::Concat(microseconds / 1'000'000);
  std::string decimals = base::Concat(1'000'000 + microseconds % 1'000'000).substr(1);
  decimals.erase(decimals.find_last_not_of('0') + 1);
  return decimals.empty() ? text : base::Concat(text, '.', decimals);
}

// `name_suffix{label="value",le="bound"} value`; no `le` when the bound is "".
void AppendSample(std::string& out, const Family& family, std::string_view suffix, const LabelValues& labels,
                  std::string_view bound, std::string_view value) {
  out += base::Concat(family.name, suffix);
  char separator = '{';
  for (size_t i = 0; i < labels.size(); ++i) {
    out += base::Concat(separator, family.labels[i], "=\"");
    AppendEscaped(out, labels[i], true);
    out += '"';
    separator = ',';
  }
  if (!bound.empty()) {
    out += base::Concat(separator, "le=\"", bound, '"');
    separator = ',';
  }
  out += base::Concat(separator == ',' ? "} " : " ", value, '\n');
}

void AppendHistogram(std::string& out, const Family& family, const LabelValues& labels,
                     const observe::HistogramValue& value) {
  uint64_t count = 0;
  for (size_t i = 0; i < value.buckets.size(); ++i) {
    count += value.buckets[i];
    const bool last = i == observe::kDurationBounds.size();
    AppendSample(out, family, "_bucket", labels, last ? "+Inf" : Seconds(observe::kDurationBounds[i]),
                 base::Concat(count));
  }
  AppendSample(out, family, "_sum", labels, "", Seconds(value.sum_microseconds));
  AppendSample(out, family, "_count", labels, "", base::Concat(count));
}

std::string_view TypeName(MetricKind kind) {
  return kind == MetricKind::kCounter ? "counter" : kind == MetricKind::kGauge ? "gauge" : "histogram";
}

}  // namespace

std::string PrometheusText(const observe::MetricsSnapshot& snapshot) {
  std::string out;
  for (const auto& [name, values] : snapshot) {
    const Family& family = *values.family;
    out += base::Concat("# HELP ", name, ' ');
    AppendEscaped(out, family.help, false);
    out += base::Concat("\n# TYPE ", name, ' ', TypeName(family.kind), '\n');
    for (const auto& [labels, value] : values.series) {
      if (const auto* counter = std::get_if<uint64_t>(&value))
        AppendSample(out, family, "", labels, "", base::Concat(*counter));
      else if (const auto* gauge = std::get_if<int64_t>(&value))
        AppendSample(out, family, "", labels, "", base::Concat(*gauge));
      else
        AppendHistogram(out, family, labels, std::get<observe::HistogramValue>(value));
    }
  }
  return out;
}

}  // namespace portico::exporting
