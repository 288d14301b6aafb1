"""What the log says of requests. All servers of this process log through one logger: here none runs beside the test's."""

import json

from tests.model_server.conftest import Serve
from tests.model_server.proxies import question, scene
from tests.model_server.sockets import eventually


def test_each_request_has_one_line_in_the_log_without_content_or_token(serve: Serve):
    server = serve()
    asked = question(*scene())
    server.harmonize(asked)
    server.ask("GET", f"/v1/health?token={server.token}")
    server.ask("GET", "/v1/models", Authorization="Bearer wrong")
    assert eventually(lambda: server.log.count("\n") == 3)
    lines = server.log.splitlines()
    assert "POST /v1/harmonize 200 " in lines[0] and f"{len(json.dumps(asked))} bytes in" in lines[0]
    assert "GET /v1/health 200 " in lines[1]
    assert "GET /v1/models 401 " in lines[2]
    for secret in (server.token, asked["composite"][:40], asked["mask"][:40]):
        assert secret not in server.log
    assert max(map(len, lines)) < 160
