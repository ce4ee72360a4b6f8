#include "tools/ctl/comments.h"

#include <cstddef>
#include <string_view>
#include <vector>

#include "api/base/check.h"
#include "api/base/text.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "tools/ctl/descriptor_set.h"

namespace portico::ctl {
namespace {

using Comments = std::map<std::string, std::string>;
using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::EnumDescriptor;
using google::protobuf::FileDescriptor;

// A comment's lines without the space behind "//".
std::string Lines(std::string_view comment) {
  std::string out;
  while (comment.ends_with('\n'))
    comment.remove_suffix(1);
  for (std::string_view line : base::Split(comment, '\n')) {
    if (line.starts_with(' ')) line.remove_prefix(1);
    out += base::Concat(out.empty() ? "" : "\n", line);
  }
  return out;
}

void TakeFile(const FileDescriptor& file, Comments& comments) {
  google::protobuf::SourceLocation location;
  const std::vector<int> syntax = {google::protobuf::FileDescriptorProto::kSyntaxFieldNumber};  // where it begins
  if (!file.GetSourceLocation(syntax, &location) || location.leading_comments.empty()) return;
  comments[file.name()] = Lines(location.leading_comments);
}

template <typename Thing>
void Take(const Thing& thing, Comments& comments) {
  google::protobuf::SourceLocation location;
  if (!thing.GetSourceLocation(&location) || location.leading_comments.empty()) return;
  comments[thing.full_name()] = Lines(location.leading_comments);
}

void TakeEnum(const EnumDescriptor& type, Comments& comments) {
  Take(type, comments);
  for (int i = 0; i < type.value_count(); ++i)
    Take(*type.value(i), comments);
}

void TakeMessage(const Descriptor& type, Comments& comments) {
  Take(type, comments);
  for (int i = 0; i < type.field_count(); ++i)
    Take(*type.field(i), comments);
  for (int i = 0; i < type.nested_type_count(); ++i)
    TakeMessage(*type.nested_type(i), comments);
  for (int i = 0; i < type.enum_type_count(); ++i)
    TakeEnum(*type.enum_type(i), comments);
}

}  // namespace

Comments ApiComments() {
  google::protobuf::FileDescriptorSet set;
  PORTICO_CHECK(set.ParseFromArray(kDescriptorSet, static_cast<int>(sizeof kDescriptorSet)), "the build's own bytes");
  DescriptorPool pool;
  Comments comments;
  for (const auto& proto : set.file()) {
    const FileDescriptor* file = pool.BuildFile(proto);
    PORTICO_CHECK(file != nullptr, "files stand behind those that they import");
    TakeFile(*file, comments);
    for (int i = 0; i < file->message_type_count(); ++i)
      TakeMessage(*file->message_type(i), comments);
    for (int i = 0; i < file->enum_type_count(); ++i)
      TakeEnum(*file->enum_type(i), comments);
  }
  return comments;
}

}  // namespace portico::ctl
