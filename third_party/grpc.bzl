"""gRPC services by the system's plugin. Whoever depends on one links libgrpc and with it OpenSSL: never the proxy."""

load(":portico.bzl", "portico_proto_library")

def portico_grpc_library(name, src, deps = [], visibility = None):
    """The messages and the service of one .proto file. `deps` are the portico_proto_library targets it imports, each
    named whole ("//a/b:c")."""
    portico_proto_library(
        name = name + "_messages",
        srcs = [src],
        deps = deps,
        visibility = visibility,
    )
    stem = src[:-len(".proto")]
    outs = [stem + ".grpc.pb.h", stem + ".grpc.pb.cc"]
    native.genrule(
        name = name + "_plugin",
        srcs = [src, ":" + name + "_messages_srcs"],
        outs = outs,
        cmd = "/usr/bin/protoc -I. -I/usr/include --plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin " +
              "--grpc_out=$(GENDIR) $(location %s)" % src,
    )
    native.cc_library(
        name = name,
        srcs = [outs[1]],
        hdrs = [outs[0]],
        copts = ["-w"],  # the plugin's output is not ours to keep free of warnings
        deps = deps + [":" + name + "_messages", "//third_party:grpc"],
        visibility = visibility,
    )
