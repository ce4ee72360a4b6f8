#include "tools/ctl/validate.h"

#include <string>
#include <string_view>

#include "api/base/json.h"
#include "api/base/text.h"
#include "api/load/load.h"
#include "tools/ctl/load.h"

namespace portico::ctl {
namespace {

constexpr char kHelp[] = R"(usage: porticoctl validate -f FILE|FOLDER [-f …] [--strict] [-o table|json]

Judges a configuration without a control plane: each resource, what they refer to, and what each Gateway makes of it.
Prints one line for each finding, `file:line: field.path: what`.

  -f, --file FILE|FOLDER   a file of resources, or a folder of *.yaml and *.yml; repeated: all together
      --strict             a warning fails as well
  -o, --output table|json  default: table

exit codes: 0 good, 1 there are errors (with --strict: or warnings), 2 wrong usage
)";

std::string Plural(size_t count, std::string_view word) {
  return base::Concat(count, " ", word, count == 1 ? "" : "s");
}

void AppendMember(std::string& out, std::string_view name, std::string_view value) {
  base::AppendJsonString(out, name);
  out += ": ";
  base::AppendJsonString(out, value);
}

std::string ToJson(const load::Loaded& loaded) {
  std::string out = base::Concat("{\"resources\": ", loaded.configuration.resources().size(), ", \"findings\": [");
  for (const load::Finding& finding : loaded.findings) {
    if (!out.ends_with('[')) out += ", ";
    out += '{';
    AppendMember(out, "severity", finding.is_error ? "error" : "warning");
    out += ", ";
    AppendMember(out, "file", finding.file);
    out += base::Concat(", \"line\": ", finding.line, ", ");
    AppendMember(out, "path", finding.path);
    out += ", ";
    AppendMember(out, "message", finding.message);
    out += '}';
  }
  return out + "]}\n";
}

std::string ToTable(const load::Loaded& loaded) {
  std::string out;
  for (const load::Finding& finding : loaded.findings)
    out += finding.ToString() + "\n";
  const std::string warnings = loaded.warnings() == 0 ? "" : base::Concat(", ", Plural(loaded.warnings(), "warning"));
  if (loaded.errors() > 0) return base::Concat(out, Plural(loaded.errors(), "error"), warnings, "\n");
  return base::Concat(out, Plural(loaded.configuration.resources().size(), "resource"), ", good", warnings, "\n");
}

int Validate(const Call& call) {
  const std::string output = call.arguments.Get("output", "table");
  if (output != "table" && output != "json") {
    return call.WrongUsage(base::Concat("-o is table or json, not `", output, "`"));
  }
  const load::Loaded loaded = LoadAndResolve(call.arguments.All("file"), call.console.files, call.console.key_pairs);
  call.console.out << (output == "json" ? ToJson(loaded) : ToTable(loaded));
  const bool failed = loaded.errors() > 0 || (call.arguments.Has("strict") && loaded.warnings() > 0);
  return failed ? kFailed : kGood;
}

}  // namespace

const Command kValidate = {.name = "validate",
                           .help = kHelp,
                           .flags = {{.name = "file", .letter = 'f', .repeated = true, .required = true},
                                     {.name = "strict", .has_value = false},
                                     {.name = "output", .letter = 'o'}},
                           .asks = false,
                           .run = Validate};

}  // namespace portico::ctl
