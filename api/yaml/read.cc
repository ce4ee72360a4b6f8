#include "api/yaml/read.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "api/base/text.h"
#include "api/base/utf8.h"
#include "api/yaml/message_reader.h"
#include "api/yaml/tree.h"

namespace portico::yaml {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using portico::v1::DataSource;
using portico::v1::Resource;

constexpr std::string_view kApiVersion = "portico.dev/v1";

const FieldDescriptor* KindField(std::string_view kind) {
  const auto& type = *Resource::descriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->message_type()->name() == kind) return type.field(i);
  }
  return nullptr;
}

std::string UnknownKind(std::string_view kind) {
  if (kind == "HTTPRoute") return "write `kind: Route`; the spec of an HTTPRoute pastes in as it is";
  std::vector<std::string_view> names;
  std::vector<std::string> all;
  const auto& type = *Resource::descriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    names.push_back(type.field(i)->message_type()->name());
    all.emplace_back(names.back());
  }
  const std::string_view nearest = base::NearestName(kind, names);
  constexpr size_t kShownBytesMax = 40;
  return base::Concat("unknown kind `", kind.substr(0, kShownBytesMax), "`",
                      nearest.empty() ? base::Concat("; known are ", base::Join(all, ", "))
                                      : base::Concat("; did you mean `", nearest, "`?"));
}

// The fields of the document beside the message's own, taken out of the tree.
struct Header {
  std::string kind;
  bool has_kind = false;
  bool good = true;
};

class DocumentReader {
 public:
  DocumentReader(std::string_view file, Problems& problems) : problems_(problems) { document_.file = file; }

  // False: something is wrong with it, and `problems` says what.
  bool Read(Node& node) {
    MessageReader reader(document_.file, document_.source, problems_);
    const size_t before = problems_.list().size() + problems_.dropped();
    if (node.kind != Node::Kind::kMap) {
      reader.Add(node.position, "", base::Concat("a document must be a map with `kind`, not ", KindName(node)));
      return false;
    }
    document_.source.Set("", node.position);
    const Header header = TakeHeader(node, reader);
    if (!header.good) return false;
    if (!header.has_kind) {
      reader.Add(node.position, "kind", "is missing");
      return false;
    }
    const FieldDescriptor* field = KindField(header.kind);
    if (field == nullptr) {
      reader.Add(document_.source.Locate("kind"), "kind", UnknownKind(header.kind));
      return false;
    }
    Resource& resource = document_.resource;
    reader.ReadMessage(node, "", *resource.GetReflection()->MutableMessage(&resource, field));
    return problems_.list().size() + problems_.dropped() == before;
  }

  Document Take() { return std::move(document_); }

 private:
  Header TakeHeader(Node& node, MessageReader& reader) {
    Header header;
    bool has_version = false;
    std::vector<Node> rest;
    for (size_t i = 0; i + 1 < node.children.size(); i += 2) {
      Node& key = node.children[i];
      Node& value = node.children[i + 1];
      const bool is_kind = key.text == "kind";
      const bool is_version = key.text == "apiVersion" || key.text == "api_version";
      if (!is_kind && !is_version) {
        rest.push_back(std::move(key));
        rest.push_back(std::move(value));
        continue;
      }
      const std::string path = is_kind ? "kind" : "apiVersion";
      bool& seen = is_kind ? header.has_kind : has_version;
      if (seen || value.kind != Node::Kind::kScalar) {
        reader.Add(key.position, path, seen ? "given twice" : "must be text");
        header.good = false;
      }
      seen = true;
      document_.source.Set(path, value.position);
      if (is_kind) header.kind = value.text;
      if (is_version) version_ = value.text;
    }
    node.children = std::move(rest);
    // The kind of another API says more than its version does.
    if (header.good && has_version && version_ != kApiVersion && KindField(header.kind) != nullptr) {
      reader.Add(document_.source.Locate("apiVersion"), "apiVersion",
                 base::Concat("must be ", kApiVersion, " or left out"));
      header.good = false;
    }
    return header;
  }

  Document document_;
  Problems& problems_;
  std::string version_;
};

std::string Folder(std::string_view file) {
  const size_t slash = file.rfind('/');
  return slash == std::string_view::npos ? "" : std::string(file.substr(0, slash + 1));
}

bool IsConfigurationName(std::string_view name) {
  return !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml"));
}

void ReadInto(std::vector<Document>& documents, std::string_view text, std::string_view file, const Limits& limits,
              Problems& problems) {
  std::vector<Document> more = ReadText(text, file, limits, problems);
  std::move(more.begin(), more.end(), std::back_inserter(documents));
}

void LoadFile(Document& document, DataSource& source, const std::string& path, FileReader& files, const Limits& limits,
              Problems& problems) {
  if (source.source_case() != DataSource::kFile) return;
  const std::string field = base::Concat(path, ".file");
  const std::string name = source.file().starts_with('/') ? source.file() : Folder(document.file) + source.file();
  absl::StatusOr<std::string> text = files.Read(name, limits.secret_file_bytes_max);
  if (text.ok() && !base::IsUtf8(*text)) text = absl::InvalidArgumentError(base::ToAbsl(name + " is not UTF-8 text"));
  if (!text.ok()) {
    problems.Add(
        {document.file, document.source.Locate(field), field, std::string(base::ToStd(text.status().message()))});
    return;
  }
  source.set_inline_(*std::move(text));
}

}  // namespace

std::vector<Document> ReadText(std::string_view text, std::string_view file, const Limits& limits, Problems& problems) {
  std::vector<Document> documents;
  for (Node& node : ParseDocuments(text, file, limits, problems)) {
    DocumentReader reader(file, problems);
    if (reader.Read(node)) documents.push_back(reader.Take());
  }
  return documents;
}

std::vector<Document> ReadConfiguration(const std::string& path, FileReader& files, const Limits& limits,
                                        Problems& problems) {
  std::vector<Document> documents;
  const auto fail = [&](const std::string& file, std::string message) {
    problems.Add({file, {}, "", std::move(message)});
  };
  absl::StatusOr<std::vector<std::string>> names = files.List(path);
  std::vector<std::string> paths = {path};
  if (names.ok()) {
    std::sort(names->begin(), names->end());
    paths.clear();
    for (const std::string& name : *names) {
      if (IsConfigurationName(name)) paths.push_back(base::Concat(path, path.ends_with('/') ? "" : "/", name));
    }
    if (paths.empty()) fail(path, "no *.yaml or *.yml in this folder");
  }
  if (paths.size() > limits.files_max) {
    fail(path, base::Concat("more than ", limits.files_max, " files"));
    return documents;
  }
  size_t budget = limits.folder_bytes_max;
  for (const std::string& file : paths) {
    const absl::StatusOr<std::string> text = files.Read(file, std::min(budget, limits.text_bytes_max));
    if (!text.ok()) {
      fail(file, std::string(base::ToStd(text.status().message())));
      continue;
    }
    budget -= text->size();
    ReadInto(documents, *text, file, limits, problems);
  }
  return documents;
}

void LoadFiles(Document& document, FileReader& files, const Limits& limits, Problems& problems) {
  if (!document.resource.has_secret()) return;
  auto& spec = *document.resource.mutable_secret()->mutable_spec();
  const auto load = [&](DataSource& source, const std::string& path) {
    LoadFile(document, source, path, files, limits, problems);
  };
  if (spec.has_tls()) {
    if (spec.tls().has_certificate()) load(*spec.mutable_tls()->mutable_certificate(), "spec.tls.certificate");
    if (spec.tls().has_private_key()) load(*spec.mutable_tls()->mutable_private_key(), "spec.tls.privateKey");
  }
  if (spec.has_jwks()) load(*spec.mutable_jwks(), "spec.jwks");
  if (spec.has_ca_certificates()) load(*spec.mutable_ca_certificates(), "spec.caCertificates");
  if (spec.has_hmac_key()) load(*spec.mutable_hmac_key(), "spec.hmacKey");
}

}  // namespace portico::yaml
