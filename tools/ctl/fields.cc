#include "tools/ctl/fields.h"

#include <map>
#include <ostream>

#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "api/portico/v1/options.pb.h"
#include "api/portico/v1/resource.pb.h"
#include "api/yaml/scalar.h"
#include "google/protobuf/descriptor.h"
#include "tools/ctl/comments.h"
#include "tools/ctl/names.h"

namespace portico::ctl {
namespace {

using base::Concat;
using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

constexpr char kHelp[] = R"(usage: porticoctl fields [KIND[.FIELD…]]

What may be written in a resource: meaning, unit, default and bounds of a field and of those in it. Without an argument:
the kinds. It asks nobody: this is what this version of porticoctl knows.

  porticoctl fields Route.spec.rules.matches
)";

std::vector<std::string> ValueNames(const EnumDescriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    const std::string name = yaml::EnumName(*type.value(i));
    if (!name.empty()) names.push_back(name);
  }
  return names;
}

// Ours, of which there are fields to tell. nullptr: a scalar, a map, a duration, a time, JSON.
const Descriptor* MessageOf(const FieldDescriptor& field) {
  const Descriptor* type = field.message_type();
  return type == nullptr || field.is_map() || type->file()->package() != "portico.v1" ? nullptr : type;
}

std::string TypeOfOne(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return "text";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return base::Join(ValueNames(*field.enum_type()), " | ");
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (field.message_type()->full_name() == "google.protobuf.Duration") return "duration, like 250ms or 1m30s";
      if (field.message_type()->full_name() == "google.protobuf.Timestamp") return "time, like 2027-01-31T00:00:00Z";
      if (field.message_type()->full_name() == "google.protobuf.Value") return "any JSON";
      return field.message_type()->name();
    default:
      return "number";
  }
}

std::string TypeOf(const FieldDescriptor& field) {
  if (field.is_map()) return "map of text to text";
  return Concat(field.is_repeated() ? "list of " : "", TypeOfOne(field),
                field.options().GetExtension(portico::v1::system_only) ? " (written by the system)" : "");
}

std::string_view WithoutIndex(std::string_view piece) {
  return piece.substr(0, piece.find('['));
}

// Where a path leads: to a kind, or to a field.
struct Place {
  std::string path;  // as it is spelt right
  const Descriptor* message = nullptr;
  const FieldDescriptor* field = nullptr;  // nullptr: a kind
};

const FieldDescriptor* FindField(const Descriptor& type, std::string_view name) {
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->json_name() == name || type.field(i)->name() == name) return type.field(i);
  }
  return nullptr;
}

absl::Status NoField(const Place& place, std::string_view name) {
  if (place.message == nullptr) {
    return absl::InvalidArgumentError(base::ToAbsl(Concat(place.path, " is no map of fields: ", TypeOf(*place.field))));
  }
  std::vector<std::string_view> names;
  for (int i = 0; i < place.message->field_count(); ++i)
    names.push_back(place.message->field(i)->json_name());
  const std::string_view nearest = base::NearestName(name, names);
  return absl::InvalidArgumentError(
      base::ToAbsl(Concat(place.path, " has no field `", name, "`",
                          nearest.empty() ? Concat("; it has ", base::Join({names.begin(), names.end()}, ", "))
                                          : Concat("; did you mean `", nearest, "`?"))));
}

absl::StatusOr<Place> Find(std::string_view path) {
  const std::vector<std::string_view> pieces = base::Split(path, '.');
  const absl::StatusOr<std::string> kind = ParseKind(pieces[0]);
  if (!kind.ok()) return kind.status();
  Place place;
  place.path = *kind;
  place.message = portico::v1::Resource::descriptor()->file()->pool()->FindMessageTypeByName("portico.v1." + *kind);
  for (size_t i = 1; i < pieces.size(); ++i) {
    const std::string_view name = WithoutIndex(pieces[i]);
    const FieldDescriptor* field = place.message == nullptr ? nullptr : FindField(*place.message, name);
    if (field == nullptr) return NoField(place, name);
    place.path += Concat(".", field->json_name());
    place.field = field;
    place.message = MessageOf(*field);
  }
  return place;
}

class Printer {
 public:
  explicit Printer(std::ostream& out) : out_(out), comments_(ApiComments()) {}

  void PrintKinds() {
    for (const std::string_view kind : Kinds()) {
      out_ << kind << "\n";
      Comment(KindComment(*Find(kind)->message), "    ");
    }
  }

  void Print(const Place& place) {
    out_ << place.path << ": " << (place.field == nullptr ? "a kind" : TypeOf(*place.field)) << "\n";
    Comment(place.field == nullptr ? KindComment(*place.message) : comments_[place.field->full_name()], "    ");
    if (place.field != nullptr && place.field->enum_type() != nullptr) PrintValues(*place.field->enum_type());
    if (place.message != nullptr) PrintFields(place, *place.message);
  }

 private:
  // That of the message or, since a kind's own is there, of its file.
  std::string KindComment(const Descriptor& type) {
    const std::string& own = comments_[type.full_name()];
    return own.empty() ? comments_[type.file()->name()] : own;
  }

  void Comment(const std::string& comment, std::string_view indent) {
    if (comment.empty()) return;
    for (const std::string_view line : base::Split(comment, '\n'))
      out_ << indent << line << "\n";
  }

  void PrintValues(const EnumDescriptor& type) {
    out_ << "\nvalues:\n";
    for (int i = 0; i < type.value_count(); ++i) {
      const std::string name = yaml::EnumName(*type.value(i));
      if (name.empty()) continue;
      out_ << "  " << name << "\n";
      Comment(comments_[type.value(i)->full_name()], "      ");
    }
  }

  void PrintFields(const Place& place, const Descriptor& type) {
    out_ << "\nfields:\n";
    if (place.field == nullptr) out_ << "  apiVersion: portico.dev/v1, or left out\n  kind: " << place.path << "\n";
    if (place.field != nullptr) Comment(comments_[type.full_name()], "  ");
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      out_ << "  " << field.json_name() << ": " << TypeOf(field) << "\n";
      Comment(comments_[field.full_name()], "      ");
    }
  }

  std::ostream& out_;
  std::map<std::string, std::string> comments_;
};

int Fields(const Call& call) {
  Printer printer(call.console.out);
  if (call.arguments.words.empty()) {
    printer.PrintKinds();
    return kGood;
  }
  const absl::StatusOr<Place> place = Find(call.arguments.words[0]);
  if (!place.ok()) return call.WrongUsage(base::ToStd(place.status().message()));
  printer.Print(*place);
  return kGood;
}

}  // namespace

std::vector<std::string> CompletePath(std::string_view path) {
  std::vector<std::string> out;
  const size_t dot = path.rfind('.');
  if (dot == path.npos) {
    for (const std::string_view kind : Kinds())
      out.emplace_back(kind);
    return out;
  }
  const absl::StatusOr<Place> place = Find(path.substr(0, dot));
  if (!place.ok() || place->message == nullptr) return out;
  for (int i = 0; i < place->message->field_count(); ++i)
    out.push_back(Concat(path.substr(0, dot), ".", place->message->field(i)->json_name()));
  return out;
}

const Command kFields = {.name = "fields", .help = kHelp, .flags = {}, .words_max = 1, .asks = false, .run = Fields};

}  // namespace portico::ctl
