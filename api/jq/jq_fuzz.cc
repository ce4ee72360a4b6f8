#include <string>
#include <vector>

#include "api/base/check.h"
#include "api/jq/evaluate.h"

// A program, a NUL, its input: within small limits everything ends, and what comes out can be printed.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<std::string> names = {"orders", "products"};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t cut = std::min(text.find('\0'), text.size());
  const auto program = portico::jq::Program::Compile(text.substr(0, cut), names);
  if (!program.ok()) return 0;
  portico::base::Arena arena;
  const auto input = portico::base::ParseJson(text.substr(std::min(cut + 1, text.size())), arena);
  const portico::base::Json value = input.ok() ? *input : portico::base::Json();
  const portico::jq::Binding bindings[] = {{"orders", value}, {"products", value}};
  portico::jq::EvaluateLimits limits;
  limits.fuel = 50'000;
  limits.arena_bytes_max = 4 << 20;
  limits.output_bytes_max = 1 << 20;
  const auto outputs = portico::jq::Evaluate(*program, bindings, value, arena, limits);
  if (!outputs.ok()) return 0;
  // At most six bytes for one when escaped.
  for (const auto& output : *outputs)
    PORTICO_CHECK(portico::base::PrintJson(output, 7 << 20).ok());
  return 0;
}
