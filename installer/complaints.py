"""What pip complains of, in one sentence and with what to do."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from installer import pythons
from installer.failure import InstallError
from installer.machine import Machine

# From the surest sign to the vaguest: pip tells of a broken connection first, and then that there is no such package.
signs = {
    r"no space left|errno 28|disk quota|errno 122": (
        "disk_full",
        "The disk is full.",
        "Free some space, then try again.",
    ),
    r"read-only file system": (
        "read_only",
        "The disk is read-only.",
        "Set HOME to a folder that you may write to.",
    ),
    r"do not match the hashes": (
        "wheel_changed",
        "A package is not the one that it should be.",
        "Try again; if it stays so, ask who runs the package index.",
    ),
    r"winerror (5|32)\b": (
        "file_locked",
        "Another program keeps the engine's files open.",
        "Close Krita and GIMP, pause the virus scanner, then try again.",
    ),
    r"proxyerror|cannot connect to proxy|tunnel connection failed": (
        "proxy",
        "The proxy does not let the packages through.",
        "Mend HTTPS_PROXY, or give a folder of wheels with --wheelhouse.",
    ),
    r"certificate_verify_failed|sslerror|not a trusted or secure host": (
        "certificate",
        "The certificate of the package index is not known here.",
        "Name the file with the right one in PIP_CERT.",
    ),
    r"newconnectionerror|name resolution|unreachable|connection refused|timed out|timeout|max retries"
    r"|connection (broken|aborted|reset)|failed to establish|incompleteread": (
        "no_network",
        "The package index could not be reached.",
        "Check the connection and the proxy, or give a folder of wheels with --wheelhouse.",
    ),
}
missing = re.compile(r"no matching distribution found for ([\w.-]+)", re.I)


def understood(said: str, wheelhouse: Path | None, machine: Machine) -> InstallError:
    """Say what is wrong; the code is `packages` where that is not known."""
    if any(f"host='{proxy}'" in said for proxy in _proxies(machine)):
        said = f"ProxyError: {said}"  # pip names the host that it did not reach, and not that it is the proxy
    for sign, (code, message, hint) in signs.items():
        if re.search(sign, said, re.I):
            return InstallError(code, message, hint)
    lacking = missing.search(said)
    if lacking and wheelhouse:
        message = f"The folder {wheelhouse} lacks {lacking[1]} for this system and Python."
        return InstallError("wheel_missing", message, "Make the folder again, for this system.")
    if lacking:
        message = f"The package index has no {lacking[1]} for this system and Python."
        return InstallError("wheel_missing", message, pythons.hint)
    lines = [line for line in said.splitlines() if line.strip()] or ["it said nothing"]
    complaint = next((line for line in reversed(lines) if line.lower().startswith("error")), lines[-1])
    return InstallError("packages", f"The packages could not be installed: {discreet(complaint)[:300]}", "Try again.")


def discreet(said: str) -> str:
    """Leave out the name and password of an index, which its address may hold."""
    return re.sub(r"//[^/@\s]*@", "//", said.strip())


def _proxies(machine: Machine) -> list[str]:
    """The hosts of the proxies that are set."""
    settings = [value for name, value in machine.environment.items() if name.lower() in ("https_proxy", "all_proxy")]
    return [host for value in settings if (host := urlsplit(value if "//" in value else f"//{value}").hostname)]
