"""The archive of the Beijing data, fetched from a server of our own."""

import hashlib
import io
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from physolve.air.data import Stations, download, prepare
from physolve.errors import PhysolveError, ProblemFileError

HEADER = "year,month,day,hour,PM2.5,TEMP,PRES,DEWP,wd,WSPM,station\n"
TABLE = HEADER + "2013,3,1,0,4,-0.7,1023,-18.8,NNW,4.4,Dongsi\n"


def archive_of(**files: bytes | str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


INNER = archive_of(
    **{"PRSA_Data/PRSA_Data_Dongsi_x.csv": TABLE, "../../PRSA_Data_outside.csv": TABLE, "notes.txt": "-"}
)
ARCHIVE = archive_of(**{"PRSA2017_Data.zip": INNER, "test.csv": "an,example"})


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    """Serves a folder: (folder, url)."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "air.zip").write_bytes(ARCHIVE)
    (folder / "text.zip").write_text("not an archive")
    (folder / "empty.zip").write_bytes(archive_of(readme="nothing here"))
    serving = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{serving.server_port}"
    serving.shutdown()
    serving.server_close()
    thread.join()


def test_tables_and_stations_are_laid_out_to_be_prepared(server, tmp_path):
    found = download(tmp_path / "beijing", url=f"{server[1]}/air.zip")
    assert {path.name for path in found.files} == {"PRSA_Data_Dongsi_x.csv", "PRSA_Data_outside.csv"}
    assert all(path.parent == tmp_path / "beijing" for path in found.files)  # whatever the archive's paths say
    assert found.sha256 == hashlib.sha256(ARCHIVE).hexdigest()
    series, report = prepare([tmp_path / "beijing"], Stations.read(found.stations))
    assert series.stations.names == ("Dongsi",)
    assert report.joined == 1


def test_what_is_there_is_not_fetched_again(server, tmp_path):
    first = download(tmp_path, url=f"{server[1]}/air.zip")
    (server[0] / "air.zip").unlink()
    assert download(tmp_path, url=f"{server[1]}/air.zip", checksum=f"sha256:{first.sha256}") == first


def test_another_checksum_is_refused_and_nothing_unpacked(server, tmp_path):
    with pytest.raises(ProblemFileError, match="does not match the known hash"):
        download(tmp_path / "x", url=f"{server[1]}/air.zip", checksum=f"sha256:{'0' * 64}")
    assert not list((tmp_path / "x").glob("*"))


def test_the_right_checksum_is_accepted(server, tmp_path):
    checksum = f"md5:{hashlib.md5(ARCHIVE).hexdigest()}"
    assert len(download(tmp_path, url=f"{server[1]}/air.zip", checksum=checksum).files) == 2


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("absent.zip", PhysolveError, "cannot be fetched .HTTPError.; check the network, or fetch the file by hand"),
        ("text.zip", ProblemFileError, "not a zip archive"),
        ("empty.zip", ProblemFileError, "no tables PRSA_Data_"),
    ],
)
def test_what_cannot_be_used(server, tmp_path, name, error, message):
    with pytest.raises(error, match=message):
        download(tmp_path / "x", url=f"{server[1]}/{name}")


def test_without_a_network_the_error_says_so(tmp_path):
    with pytest.raises(PhysolveError, match=r"cannot be fetched \(ConnectionError\)"):
        download(tmp_path, url="http://127.0.0.1:1/air.zip")
