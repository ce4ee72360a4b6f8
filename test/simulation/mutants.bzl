"""Mutants: the simulation with one mistake planted in one file of the proxy. No production code knows of them."""

def mutant(name, source, edit, deps, copts = []):
    """A binary `name` whose copy of `source` has been edited by the sed program `edit`.

    The copy is linked before the library that holds the original, whose object is then never asked for. An edit that
    changes nothing, because the source has moved on, fails the build.
    """
    copy = name + "_" + source.split(":")[1]
    native.genrule(
        name = name + "_source",
        testonly = True,
        srcs = [source],
        outs = [copy],
        cmd = "sed -E '%s' $< > $@ && if cmp -s $< $@; then echo 'mutant %s changes nothing in %s' >&2; exit 1; fi" %
              (edit.replace("$", "$$"), name, source),
    )
    native.cc_binary(
        name = name,
        testonly = True,
        srcs = [
            copy,
            "main.cc",
        ],
        copts = copts,
        deps = deps + [
            ":run",
            "//api/base:text",
        ],
    )
