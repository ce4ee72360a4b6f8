#include "api/yaml/tree.h"

#include <sstream>
#include <unordered_map>
#include <utility>

#include "api/base/text.h"
#include "api/base/utf8.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/exceptions.h"
#include "yaml-cpp/parser.h"

namespace portico::yaml {
namespace {

Position ToPosition(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<size_t>(mark.line) + 1, static_cast<size_t>(mark.column) + 1};
}

size_t CountNodes(const Node& node) {
  size_t count = 1;
  for (const Node& child : node.children)
    count += CountNodes(child);
  return count;
}

size_t Depth(const Node& node) {
  size_t depth = 0;
  for (const Node& child : node.children)
    depth = std::max(depth, Depth(child));
  return depth + 1;
}

// Builds one document out of events. After a failure it ignores the rest: an event handler has no other way to stop
// the parser than to throw.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const Limits& limits) : limits_(limits) {}

  bool failed() const { return !failure_.empty(); }
  const std::string& failure() const { return failure_; }
  Position failure_position() const { return failure_position_; }
  Node TakeDocument() { return std::move(document_); }

  void OnDocumentStart(const YAML::Mark&) override {
    open_.clear();
    anchors_.clear();
    document_ = Node();
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Leaf(mark, anchor, "?", Node::Kind::kNull, "");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Leaf(mark, anchor, tag, Node::Kind::kScalar, value);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (failed()) return;
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) return Fail(mark, "an alias inside of its own anchor");
    copied_ += CountNodes(found->second);
    if (copied_ > limits_.copied_nodes_max) {
      return Fail(mark, base::Concat("aliases repeat more than ", limits_.copied_nodes_max, " values"));
    }
    if (open_.size() + Depth(found->second) > limits_.depth_max) return FailDepth(mark);
    Node copy = found->second;
    copy.position = ToPosition(mark);
    Attach(mark, std::move(copy));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, Node::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, Node::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct OpenNode {
    Node node;
    YAML::anchor_t anchor;
  };

  void Fail(const YAML::Mark& mark, std::string message) { FailAt(ToPosition(mark), std::move(message)); }
  void FailAt(const Position& position, std::string message) {
    failure_ = std::move(message);
    failure_position_ = position;
  }
  void FailDepth(const YAML::Mark& mark) {
    Fail(mark, base::Concat("nested deeper than ", limits_.depth_max, " levels"));
  }

  // False: the node is refused.
  bool Admit(const YAML::Mark& mark, const std::string& tag) {
    if (failed()) return false;
    if (!tag.empty() && tag != "?" && tag != "!") {
      Fail(mark, base::Concat("the tag `", tag, "` is not understood here; leave tags out"));
    } else if (++nodes_ > limits_.nodes_max) {
      Fail(mark, base::Concat("more than ", limits_.nodes_max, " values"));
    } else if (open_.size() >= limits_.depth_max) {
      FailDepth(mark);
    }
    return !failed();
  }

  void Leaf(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag, Node::Kind kind,
            const std::string& text) {
    if (!Admit(mark, tag)) return;
    Node node;
    node.kind = kind;
    node.quoted = tag == "!";
    node.position = ToPosition(mark);
    node.text = text;
    Remember(ToPosition(mark), anchor, node);
    Attach(mark, std::move(node));
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind) {
    if (!Admit(mark, tag)) return;
    OpenNode open;
    open.node.kind = kind;
    open.node.position = ToPosition(mark);
    open.anchor = anchor;
    open_.push_back(std::move(open));
  }

  void Close() {
    if (failed()) return;
    OpenNode closed = std::move(open_.back());
    open_.pop_back();
    Remember(closed.node.position, closed.anchor, closed.node);
    Attach(YAML::Mark::null_mark(), std::move(closed.node));
  }

  // Anchors are copies too, and nested anchors copy the same again: they share the aliases' budget.
  void Remember(const Position& position, YAML::anchor_t anchor, const Node& node) {
    if (anchor == YAML::NullAnchor || failed()) return;
    copied_ += CountNodes(node);
    if (copied_ > limits_.copied_nodes_max) {
      return FailAt(position, base::Concat("anchors hold more than ", limits_.copied_nodes_max, " values"));
    }
    anchors_[anchor] = node;
  }

  void Attach(const YAML::Mark&, Node node) {
    if (failed()) return;
    if (open_.empty()) {
      document_ = std::move(node);
    } else {
      open_.back().node.children.push_back(std::move(node));
    }
  }

  const Limits& limits_;
  std::vector<OpenNode> open_;
  std::unordered_map<YAML::anchor_t, Node> anchors_;
  Node document_;
  size_t nodes_ = 0;
  size_t copied_ = 0;
  std::string failure_;
  Position failure_position_;
};

// nullopt-like: line 0 means that every byte may stand in a configuration.
Position FirstBadByte(std::string_view text) {
  Position position{1, 1};
  for (size_t i = 0; i < text.size();) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    const size_t bytes = base::Utf8CharacterBytes(text.substr(i));
    if (bytes == 0 || c == 0x7f || (c < 0x20 && c != '\t' && c != '\n' && c != '\r')) return position;
    i += bytes;
    if (c == '\n') {
      position = {position.line + 1, 1};
    } else {
      ++position.column;
    }
  }
  return {};
}

}  // namespace

std::string_view KindName(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kScalar:
      return "text";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a map";
  }
  return "nothing";
}

std::vector<Node> ParseDocuments(std::string_view text, std::string_view file, const Limits& limits,
                                 Problems& problems) {
  std::vector<Node> documents;
  const auto fail = [&](Position position, std::string message) {
    problems.Add({std::string(file), position, "", std::move(message)});
  };
  if (text.size() > limits.text_bytes_max) {
    fail({}, base::Concat("larger than ", limits.text_bytes_max, " bytes"));
    return documents;
  }
  if (const Position bad = FirstBadByte(text); bad.line != 0) {
    fail(bad, "not UTF-8 text, or a control character");
    return documents;
  }
  TreeBuilder builder(limits);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    for (size_t count = 0; parser.HandleNextDocument(builder) && !builder.failed(); ++count) {
      if (count >= limits.documents_max) {
        fail({}, base::Concat("more than ", limits.documents_max, " documents"));
        return documents;
      }
      Node document = builder.TakeDocument();
      if (document.kind != Node::Kind::kNull) documents.push_back(std::move(document));
    }
  } catch (const YAML::Exception& error) {
    if (!builder.failed()) fail(ToPosition(error.mark), error.msg);
  } catch (const std::exception& error) {
    // yaml-cpp's streams and allocations; a text within our limits has no business here.
    if (!builder.failed()) fail({}, error.what());
  }
  if (builder.failed()) fail(builder.failure_position(), builder.failure());
  return documents;
}

}  // namespace portico::yaml
