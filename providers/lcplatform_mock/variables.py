"""Environment variables that decide what a process runs, so that nobody sets them who may only say what it works on."""

from __future__ import annotations

from typing import Final

_NAMES: Final = frozenset(
    [
        "PATH",
        "HOME",
        "SHELL",
        "IFS",
        "ENV",
        "BASH_ENV",
        "BASHOPTS",
        "SHELLOPTS",
        "PROMPT_COMMAND",
        "PS4",
        "CDPATH",
        "ZDOTDIR",
        "EDITOR",
        "VISUAL",
        "PAGER",
        "MANPAGER",
        "BROWSER",
        "LESSOPEN",
        "LESSCLOSE",
        "MAKEFLAGS",
        "CLASSPATH",
        "JAVA_TOOL_OPTIONS",
        "JDK_JAVA_OPTIONS",
        "_JAVA_OPTIONS",
        "LUA_INIT",
        "NODE_OPTIONS",
        "NODE_PATH",
        "PHPRC",
        "PHP_INI_SCAN_DIR",
        "PERLLIB",
        "RUBYLIB",
        "RUBYOPT",
        "R_PROFILE",
        "R_PROFILE_USER",
        "R_ENVIRON",
        "R_ENVIRON_USER",
        "GCONV_PATH",
        "GLIBC_TUNABLES",
        "LOCPATH",
        "NLSPATH",
        "TERMINFO",
        "OPENSSL_CONF",
        "OPENSSL_ENGINES",
        "OPENSSL_MODULES",
        "AWS_CONFIG_FILE",
        "CURL_HOME",
        "KUBECONFIG",
        "WGETRC",
        "XDG_CONFIG_HOME",
        "XDG_CONFIG_DIRS",
        "XDG_DATA_HOME",
    ]
)
_PREFIXES: Final = ("BASH_FUNC_", "DYLD_", "GIT_", "LD_", "NPM_CONFIG_", "PERL5", "PYTHON")


def decides_what_runs(name: str) -> bool:
    """Whether the loader, a shell or an interpreter takes from this variable which code to run, or where to find it."""
    return name in _NAMES or name.startswith(_PREFIXES)
