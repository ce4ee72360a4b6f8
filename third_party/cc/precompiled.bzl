"""The compiler of @local_config_cc with precompiled headers among the inputs of every compilation.

clang refuses a precompiled header made with other flags that matter, so each configuration of .bazelrc that names one
has its flags here too.
"""

_COMMON = [
    "-x",
    "c++-header",
    "-std=c++20",
    "-fPIC",
    "-U_FORTIFY_SOURCE",
    "-fstack-protector",
    "-fno-omit-frame-pointer",
    "-fmodules-strict-decluse",  # as layering_check has it
    "-Wprivate-header",
    "-Wno-builtin-macro-redefined",
    "-D__DATE__=\"redacted\"",
    "-D__TIMESTAMP__=\"redacted\"",
    "-D__TIME__=\"redacted\"",
    "-Xclang",
    "-fno-pch-timestamp",
]
_SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-sanitize=vptr", "-g1"]
_VARIANTS = {
    "opt": ["-O2", "-D_FORTIFY_SOURCE=1", "-DNDEBUG", "-ffunction-sections", "-fdata-sections", "-g1"],
    "asan": _SANITIZED + ["-O1"],
    "asan_test": _SANITIZED + ["-O0", "-include", "gtest/gtest.h"],
}

_BUILD = """
package(default_visibility = ["//visibility:public"])
filegroup(name = "inputs", srcs = glob(["*.pch"]) + ["@local_config_cc//:compiler_deps"])
cc_toolchain_suite(name = "toolchain", toolchains = {"k8": ":clang", "k8|clang": ":clang"})
cc_toolchain(
    name = "clang",
    toolchain_identifier = "local",
    toolchain_config = "@local_config_cc//:local",
    module_map = "@local_config_cc//:module.modulemap",
    all_files = ":inputs",
    compiler_files = ":inputs",
    ar_files = "@local_config_cc//:compiler_deps",
    as_files = "@local_config_cc//:compiler_deps",
    linker_files = "@local_config_cc//:compiler_deps",
    dwp_files = "@local_config_cc//:empty",
    objcopy_files = "@local_config_cc//:empty",
    strip_files = "@local_config_cc//:empty",
    supports_param_files = 1,
)
"""

def _precompiled(context):
    # Through standard input and from "/": no path of this checkout gets into the result, so every checkout makes the same.
    for name, flags in _VARIANTS.items():
        command = ["/usr/bin/clang-19"] + _COMMON + flags + ["-", "-o", str(context.path(name + ".pch"))]
        done = context.execute(
            ["/bin/sh", "-c", "header=$1; shift; exec \"$@\" <$header", "sh", str(context.path(context.attr.header))] + command,
            working_directory = "/",
        )
        if done.return_code:
            fail("%s.pch: %s" % (name, done.stderr))
    context.file("BUILD.bazel", _BUILD)

precompiled = repository_rule(
    implementation = _precompiled,
    attrs = {"header": attr.label(allow_single_file = True)},
    configure = True,  # of this machine: made anew by `bazel sync --configure`, as tools/setup calls it
)
