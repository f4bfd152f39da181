"""What the schema of compose files cannot see: that what is named exists, in each profile, and that the load balancer knows the
nodes.

    python compose.py <compose.yaml> <haproxy.cfg>
"""

import pathlib
import re
import sys

import yaml


def names(value):
    """Names of a list, or of a mapping."""
    return list(value or [])


def problems(file, balancer):
    compose = yaml.safe_load(file.read_text())
    services = compose["services"]
    for name, service in services.items():
        for network in names(service.get("networks")):
            if network not in compose["networks"]:
                yield f"{name}: there is no network {network}"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                if not (file.parent / source).is_file():
                    yield f"{name}: there is no file {source}"
            elif source not in compose["volumes"]:
                yield f"{name}: there is no volume {source}"
        for other in names(service.get("depends_on")):
            if not set(service["profiles"]) <= set(services.get(other, {}).get("profiles", [])):
                yield f"{name}: it depends on {other}, which its profile has not"
        build = service.get("build")
        if build and not (file.parent / build["context"] / build["dockerfile"]).is_file():
            yield f"{name}: there is no {build['dockerfile']}"
        for rule in ("read_only", "cap_drop", "security_opt", "restart"):
            if rule not in service:
                yield f"{name}: it says nothing of {rule}"
    nodes = re.findall(r"^\s*server (\w+) (\w+):8085$", balancer.read_text(), re.MULTILINE)
    wanted = [(name, name) for name, service in services.items() if "ANTIPHON_STORE" in service.get("environment", {})]
    if sorted(nodes) != sorted(wanted):
        yield f"{balancer}: it knows {nodes}, and {file} has {wanted}"


if __name__ == "__main__":
    sys.exit("\n".join(problems(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))) or None)
