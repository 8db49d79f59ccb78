"""What a backup is made of, and where it is kept.

TARGET/copies/<name>/livereview.duckdb          the whole database, as of one moment
TARGET/copies/<name>/manifest.json              written last: without it there is no copy
TARGET/copies/<name>/increments/<n>.<from>-<to>.<sha256>.zip
                                                the events after it, in order
TARGET/files/<aa>/<sha256>                      full texts, published files, recordings; each
                                                content once
TARGET/head.json                                who ships there, and how far they are

It is a folder and no single archive: what does not change is kept once however many copies there
are, a damaged file is one file, and object storage can't append to an archive.
"""
