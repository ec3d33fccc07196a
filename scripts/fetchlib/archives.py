# SPDX-License-Identifier: Apache-2.0
"""One member out of a verified wheel, zip or tar archive."""

import shutil
import tarfile
import zipfile

from .errors import FetchError

# No member that we want is larger; a damaged archive cannot fill the disk.
MEMBER_LIMIT = 1 << 30


def _zip_member(path, member, out):
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(member).file_size > MEMBER_LIMIT:
            raise FetchError(f"{path}: {member} is too large")
        with archive.open(member) as source:
            shutil.copyfileobj(source, out)


def _tar_member(path, member, out):
    with tarfile.open(path) as archive:
        info = archive.getmember(member)
        if not info.isfile() or info.size > MEMBER_LIMIT:
            raise FetchError(f"{path}: {member} is no file, or too large")
        shutil.copyfileobj(archive.extractfile(info), out)


def extract(path, member, target):
    """Writes MEMBER of the archive to TARGET; the name decides nothing."""
    take = _zip_member if zipfile.is_zipfile(path) else _tar_member
    try:
        with open(target, "wb") as out:
            take(path, member, out)
    except (KeyError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise FetchError(f"{path} has no {member}: {error}") from error
