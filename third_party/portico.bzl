"""The three rules of our own: a protobuf library by the system's protoc, a fuzz target, and BoringSSL's include path."""

# BoringSSL's headers stand apart so that nobody finds them by accident (or OpenSSL's in their place).
BORINGSSL_COPTS = ["-isystem/usr/include/android"]

def portico_proto_library(name, srcs, deps = [], visibility = None):
    """C++ for .proto files. `deps` are other portico_proto_library targets that the files import."""
    outs = []
    for src in srcs:
        stem = src[:-len(".proto")]
        outs += [stem + ".pb.h", stem + ".pb.cc"]
    native.filegroup(
        name = name + "_srcs",
        srcs = srcs + [dep + "_srcs" for dep in deps],
        visibility = ["//visibility:public"],
    )
    native.genrule(
        name = name + "_protoc",
        srcs = srcs + [":" + name + "_srcs"],
        outs = outs,
        cmd = "/usr/bin/protoc -I. -I/usr/include --cpp_out=$(GENDIR) " +
              " ".join(["$(location %s)" % src for src in srcs]),
        tools = [],
    )
    native.cc_library(
        name = name,
        srcs = [out for out in outs if out.endswith(".cc")],
        hdrs = [out for out in outs if out.endswith(".h")],
        # protoc's output is not ours to keep free of warnings.
        copts = ["-w"],
        deps = deps + ["//third_party:protobuf"],
        visibility = visibility,
    )

def portico_fuzz_target(name, srcs, deps = [], corpus = [], **kwargs):
    """A libFuzzer target. In an ordinary build the same file runs over its corpus once, as a test (`name`);
    with --config=fuzz it becomes the fuzzer itself. `corpus` is a list of files or a glob."""
    native.cc_test(
        name = name,
        srcs = srcs + select({
            "//third_party:fuzz": [],
            "//conditions:default": ["//test/support:fuzz_main.cc"],
        }),
        args = ["$(location %s)" % c for c in corpus],
        data = corpus,
        deps = deps,
        **kwargs
    )
