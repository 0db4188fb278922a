"""Parquet → rows, and back, in blocks: a file may be larger than memory, and every column keeps its type.

By pyarrow (extra `parquet`). A row whose text is null is a document without text: it stays, gains empty columns and
keeps its null.
"""

from __future__ import annotations

import base64
import json
import math
import shutil
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import IO, Any, BinaryIO, Final, NamedTuple

from degloss.columns import COLUMNS
from degloss.errors import InputError
from degloss.extras import package
from degloss.records import Record
from degloss.source import MOST_BYTES, MOST_FOLD, Watch, opened, unwatched
from degloss.tables import some_names

_ROWS: Final = 256  # read at a time
_GROUP: Final = 8192  # rows of a row group that is written
_FREE: Final = 256 << 20
_FINE: Final = "time64[ns]"  # the one type of which Python's values are cut off without a word


class Schema(NamedTuple):
    """What is known of a table before its first row: its Arrow schema, where the text is, how it is packed."""

    arrow: Any
    place: int
    codec: str


class ArrowRow(NamedTuple):
    """A row: its number, from 1, its text, and the block it stands in with its place there."""

    line: int
    text: str
    block: Any
    place: int


def read_parquet(name: str, field: str, watch: Watch = unwatched) -> Iterator[Schema | ArrowRow | InputError]:
    """The schema, then the rows, the error of one too large; raises `InputError`, or `ExtraMissing` without pyarrow."""
    import tempfile

    arrow, parquet = _packages(name)
    with opened(name, watch) as source, tempfile.TemporaryFile() as copy:
        file: BinaryIO = source.file
        if not file.seekable() or (hasattr(file, "raw") and not hasattr(file.raw, "name")):  # packed, or a pipe
            shutil.copyfileobj(file, copy)
            copy.seek(0)
            file = copy
        try:
            table = parquet.ParquetFile(file, pre_buffer=False)
            schema = _schema(arrow, table, field, name)
            yield schema
            line = 0
            for block in table.iter_batches(batch_size=_ROWS):
                for index, text in enumerate(_texts(block.column(schema.place))):
                    line += 1
                    if isinstance(text, UnicodeDecodeError):
                        yield InputError(
                            f"{name}:{line}: its text is not UTF-8 ({text.reason}); mend or leave out the row"
                        )
                    elif text is not None and len(text) > MOST_BYTES:
                        yield InputError(f"{name}:{line}: one document of more than {MOST_BYTES >> 20} MiB; split it")
                    else:
                        yield ArrowRow(line, text or "", block, index)
        except arrow.ArrowException as error:
            reason = str(error).partition("\n")[0]
            raise InputError(f"{name}: damaged, or no Parquet ({reason}); get the file anew") from error
        source.check()


def _packages(name: str) -> tuple[Any, Any]:
    purpose = f"{name}: Parquet"
    return package("pyarrow", "parquet", purpose), package("pyarrow.parquet", "parquet", purpose)


def _schema(arrow: Any, table: Any, field: str, name: str) -> Schema:
    found = table.schema_arrow
    if field not in found.names:
        raise InputError(
            f"{name}: no column {field!r}{some_names(found.names)}; name the text's column by --text-field"
        )
    if found.names.count(field) > 1:
        raise InputError(f"{name}: has several columns {field!r}; rename one, or name another one by --text-field")
    place = found.get_field_index(field)
    kind = found.field(place).type
    if arrow.types.is_dictionary(kind):
        kind = kind.value_type
    if not (arrow.types.is_string(kind) or arrow.types.is_large_string(kind) or arrow.types.is_string_view(kind)):
        raise InputError(f"{name}: the column {field!r} is {kind}, not text; name the text's column by --text-field")
    groups = [table.metadata.row_group(i) for i in range(table.metadata.num_row_groups)]
    for group in groups:
        packed = sum(group.column(i).total_compressed_size for i in range(group.num_columns))
        if group.total_byte_size > max(_FREE, MOST_FOLD * packed):
            raise InputError(f"{name}: unpacks to more than {MOST_FOLD} times its size, as a decompression bomb does")
    codec = groups[0].column(place).compression.lower() if groups and groups[0].num_columns else "snappy"
    return Schema(found, place, "none" if codec == "uncompressed" else codec)


def as_record(row: ArrowRow) -> Record:
    """The row in the form of JSON lines.

    What JSON has no word for: a date as a string, bytes (also of text that is not UTF-8) in base 64, numbers that are
    none or infinite as null.
    """
    values = zip(row.block.schema.names, row.block.columns, strict=True)
    pieces = [(name, f"{_json(name)}: {_json(_value(column[row.place]))}") for name, column in values]
    return Record(row.line, row.text, tuple(pieces))


def _texts(column: Any) -> list[str | UnicodeDecodeError | None]:
    """The texts of a column; of one that is none the error."""
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        found: list[str | UnicodeDecodeError | None] = []
        for scalar in column:
            try:
                found.append(scalar.as_py())
            except UnicodeDecodeError as error:
                found.append(error)
        return found


def _value(scalar: Any) -> object:
    """What a cell holds, as Python has it, or else as bytes or a string: no text, a time before or after all calendars,
    or one more exact than those of Python."""
    kind = str(scalar.type)
    exact = kind == _FINE and scalar.is_valid and scalar.value % 1000 == 0
    try:
        if exact or _FINE not in kind:
            return scalar.as_py()
    except UnicodeDecodeError:
        if hasattr(scalar, "as_buffer"):
            return scalar.as_buffer().to_pybytes()
    except (OverflowError, ValueError):
        pass
    if not scalar.is_valid:
        return None
    if hasattr(scalar, "dictionary"):
        return _value(scalar.value)
    if kind.startswith("map<"):
        return [[_value(pair[0]), _value(pair[1])] for pair in scalar.values]
    if hasattr(scalar, "items"):
        return {name: _value(part) for name, part in scalar.items()}
    if hasattr(scalar, "values"):
        return [_value(part) for part in scalar.values]
    return scalar.cast("string").as_py()


def _json(value: object) -> str:
    return json.dumps(_plain(value), ensure_ascii=False, default=str)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return None if isinstance(value, float) and not math.isfinite(value) else value


_Waiting = tuple[ArrowRow, str, "dict[str, object] | None"]
"""A row, the text it is to have, and what it gains."""


class ParquetRows:
    """A Parquet file in the making: the rows of another one, with columns gained or with other texts."""

    def __init__(self, file: IO[bytes], schema: Schema, name: str, *, gains: bool) -> None:
        self._arrow, parquet = _packages(name)
        self._schema = schema
        self._gains = gains
        arrow = self._arrow
        fields = list(schema.arrow)
        if gains:
            span = arrow.struct([("start", arrow.int64()), ("end", arrow.int64()), ("label", arrow.string())])
            kinds = [arrow.string()] * 3 + [arrow.list_(span), arrow.float64(), arrow.float64()]
            fields += [arrow.field(column, kind) for column, kind in zip(COLUMNS, kinds, strict=True)]
        self._target = arrow.schema(fields, metadata=schema.arrow.metadata)
        self._writer = parquet.ParquetWriter(file, self._target, compression=schema.codec)
        self._waiting: list[_Waiting] = []

    def add(self, row: ArrowRow, text: str, gained: dict[str, object] | None) -> None:
        """A row, the text it is to have, and what it gains."""
        self._waiting.append((row, text, gained))
        if len(self._waiting) >= _GROUP:
            self._flush()

    def close(self) -> None:
        """Writes what waits, and the footer."""
        self._flush()
        self._writer.close()

    def abandon(self) -> None:
        """Keeps the library from writing the footer of a file that is given up."""
        self._writer.is_open = False

    def _flush(self) -> None:
        """Writes the rows that wait."""
        if self._waiting:
            self._write(self._waiting)
        self._waiting = []

    def _write(self, waiting: Sequence[_Waiting]) -> None:
        """Writes rows as a group, or as several if the indices of a dictionary's type do not reach for all of them."""
        try:
            table = self._table(waiting)
        except self._arrow.ArrowInvalid:
            if len(waiting) == 1:
                raise
            half = len(waiting) // 2
            self._write(waiting[:half])
            self._write(waiting[half:])
            return
        self._writer.write_table(table)

    def _table(self, waiting: Sequence[_Waiting]) -> Any:
        """The rows as they are to be written; raises `ArrowInvalid` if a dictionary would be too large for its type."""
        arrow, schema = self._arrow, self._schema
        blocks: list[Any] = []
        for _, rows in groupby(waiting, lambda item: id(item[0].block)):
            blocks += _runs([row for row, _, _ in rows])
        table = arrow.Table.from_batches(blocks)
        old = table.column(schema.place)
        null = old.is_null().to_pylist()
        texts = [None if missing else text for missing, (_, text, _) in zip(null, waiting, strict=True)]
        columns = [self._unified(column) for column in table.columns]
        columns[schema.place] = self._encoded(texts)
        if self._gains:
            gains = [gained for _, _, gained in waiting if gained is not None]
            new = list(self._target)[len(schema.arrow) :]
            columns += [arrow.array([row[field.name] for row in gains], type=field.type) for field in new]
        return arrow.Table.from_arrays(columns, schema=self._target)

    def _encoded(self, texts: Sequence[str | None]) -> Any:
        """The texts as their column has them, perhaps by a dictionary."""
        arrow, kind = self._arrow, self._target.field(self._schema.place).type
        if not arrow.types.is_dictionary(kind):
            return arrow.array(texts, type=kind)
        found = arrow.array(texts, type=kind.value_type).dictionary_encode()
        indices = found.indices.cast(kind.index_type)
        return arrow.DictionaryArray.from_arrays(indices, found.dictionary, ordered=kind.ordered)

    def _unified(self, column: Any) -> Any:
        """The column with one dictionary: of several, pyarrow would write a group that it cannot read."""
        return column.unify_dictionaries() if self._arrow.types.is_dictionary(column.type) else column


def _runs(rows: Sequence[ArrowRow]) -> Iterator[Any]:
    """The rows of a block, in as few pieces as there are gaps: not all types can be taken row by row."""
    first = 0
    for place in range(1, len(rows) + 1):
        if place == len(rows) or rows[place].place != rows[place - 1].place + 1:
            yield rows[first].block.slice(rows[first].place, place - first)
            first = place
