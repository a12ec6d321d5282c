"""Interfaces declared as `typing.Protocol`, and the schemas they make up.

Rule: names mean what they mean in the imported module, including what it imports for type checkers alone; everything
else is read from the source. Members come in the order of the source.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from capnweb_gen import ir, naming
from capnweb_gen.errors import Diagnostic, shown
from capnweb_gen.frontends.python import callbacks, shapes
from capnweb_gen.frontends.python.aliases import namespace_of, source_of
from capnweb_gen.frontends.python.branches import executed
from capnweb_gen.frontends.python.callback_reader import CallbackReader
from capnweb_gen.frontends.python.callbacks import is_callback
from capnweb_gen.frontends.python.failures import told
from capnweb_gen.frontends.python.files import SchemaFile, find_schemas, schema_file, unreadable
from capnweb_gen.frontends.python.forgotten import forgotten_base
from capnweb_gen.frontends.python.generics import generic_origin
from capnweb_gen.frontends.python.importing import import_schema, importable, place, position_in
from capnweb_gen.frontends.python.instances import Instance, Instances
from capnweb_gen.frontends.python.interfaces import InterfaceReader
from capnweb_gen.frontends.python.models import ModelReader
from capnweb_gen.frontends.python.named import class_fault
from capnweb_gen.frontends.python.pydantic_interfaces import InterfaceModelReader, is_interface_model, parameter_models
from capnweb_gen.frontends.python.raising import ErrorReader
from capnweb_gen.frontends.python.records import record_form
from capnweb_gen.frontends.python.shapes import Shapes
from capnweb_gen.frontends.python.source import ModuleSource, SourceError, read_source
from capnweb_gen.frontends.python.type_names import constant, describe
from capnweb_gen.ir import Position


@dataclass(frozen=True)
class _Loaded:
    """A schema that could be read and imported."""

    file: SchemaFile
    source: ModuleSource
    module: ModuleType
    namespace: dict[str, Any]

    def names(self) -> frozenset[str]:
        """The classes that it declares, also for type checkers alone."""
        return frozenset((*self.source.classes, *(declared.name for declared in self.source.unreal)))


def read_schemas(arguments: Sequence[Path]) -> tuple[tuple[ir.Schema, ...], list[Diagnostic]]:
    """Read all schemas that files and folders name, and those that they import from the same folders.

    Returns:
        The schemas by output path, and the faults. With faults, schemas may be missing or incomplete.
    """
    files, faults = find_schemas(arguments)
    with importable(files):
        project = _Project(files, faults)
        schemas = project.schemas()
    return tuple(sorted(schemas, key=lambda schema: schema.output)), faults


class _Project:
    """The schemas of one run. It grows while they are read: a schema may name others in the same folders."""

    def __init__(self, files: Sequence[SchemaFile], faults: list[Diagnostic]) -> None:
        self.instances = Instances()
        self._faults = faults  # of reading and importing files, which happens once
        self._files = {file.module: file for file in files}
        self._waiting = list(files)
        self._loaded: dict[str, _Loaded | None] = {}
        self._elsewhere: dict[str, _Loaded | None] = {}
        self._roots = list(dict.fromkeys(file.root for file in files))

    def schemas(self) -> list[ir.Schema]:
        """Read until none is left that was not read; and once more if they name generic interfaces, which are then
        known, and where each belongs.
        """
        faults: list[Diagnostic] = []
        bodies: dict[Instance, ir.Interface | ir.Callback] = {}
        found = self._read(faults)
        while new := [one for one in self.instances.found() if one not in bodies]:
            for instance in new:
                bodies[instance] = self._body(instance)
            found += self._read(faults)
        if bodies:
            self.instances.settle(found, bodies, self._files.keys())
            faults = []
            self._waiting = [loaded.file for loaded in self._loaded.values() if loaded]
            found = self._read(faults)
        self._faults.extend(faults)
        return found

    def _read(self, faults: list[Diagnostic]) -> list[ir.Schema]:
        found: list[ir.Schema] = []
        while self._waiting:
            loaded = self.loaded(self._waiting.pop(0).module)
            schema = _SchemaReader(loaded, self, faults).schema() if loaded else None
            found += [schema] if schema else []
        return found

    def _body(self, instance: Instance) -> ir.Interface | ir.Callback:
        """A generic with type arguments, read to see what else it names."""
        loaded = self.declaring(instance)
        self.instances.reading(instance)
        try:
            return _SchemaReader(loaded, self, []).instance_of(instance)
        finally:
            self.instances.reading(None)

    def loaded(self, module: str) -> _Loaded | None:
        """A schema of this run, or a module from elsewhere of which a generic is named; None if it cannot be read or
        imported, or declares nothing.
        """
        if module not in self._files:
            return self.elsewhere(module)
        if module not in self._loaded:
            self._loaded[module] = self._load(self._files[module])
        return self._loaded[module]

    def declaring(self, instance: Instance) -> _Loaded:
        """The module that declares a generic."""
        loaded = self.loaded(instance.origin.__module__)
        if loaded is None:
            raise AssertionError(f"{instance.written} is declared in a file that could not be read, but was imported")
        return loaded

    def elsewhere(self, module: str) -> _Loaded | None:
        """A module that is no schema of this run, such as one of a library, and has been imported; None if it has no
        source that could be read.
        """
        if module not in self._elsewhere:
            origin = getattr(sys.modules.get(module), "__file__", None) or ""
            path = Path(origin).absolute()
            file = replace(schema_file(path, path.parent, given=False), module=module) if path.suffix == ".py" else None
            self._elsewhere[module] = self._load(file) if file else None
        return self._elsewhere[module]

    def belongs(self, module: str) -> bool:
        """Whether a module is a schema of this run; it is one from now on if it lies in one of the run's folders."""
        if module in self._files:
            return True
        origin = getattr(sys.modules.get(module), "__file__", None)
        if origin is None:
            return False
        path = Path(origin).absolute()
        if self.namesake(module) is not None:
            return False
        for root in self._roots:
            if path.is_relative_to(root) and path.stem != "__init__":
                file = schema_file(path, root, given=False)
                self._files[module] = file
                self._waiting.append(file)
                return True
        return False

    def namesake(self, module: str) -> SchemaFile | None:
        """The schema of this run that a module is under another name, so that its classes exist twice."""
        origin = getattr(sys.modules.get(module), "__file__", None)
        if origin is None or module in self._files:
            return None
        path = Path(origin).resolve()
        return next((file for file in self._files.values() if file.path.resolve() == path), None)

    def _load(self, file: SchemaFile) -> _Loaded | None:
        try:
            source = read_source(file.path)
        except SourceError as fault:
            hint = "correct the line; nothing is compiled until every schema can be read"
            self._faults.append(Diagnostic(file.shown, *_numbers(fault.position), f"syntax error: {fault}", hint))
            return None
        except OSError as error:
            self._faults.append(unreadable(file.path, error))
            return None
        if not source.classes and not source.unreal and not file.given:
            return None
        module = import_schema(file)
        if isinstance(module, Diagnostic):
            self._faults.append(module)
            return None
        source, unknown = executed(source, vars(module), file.path)
        for declared in unknown:
            message = f"{declared.name} is declared in several branches, and nothing tells which of them Python took"
            hint = "declare it once, or give each of them a name of its own"
            self._faults.append(Diagnostic(file.shown, *_numbers(declared.position), message, hint))
        return _Loaded(file, source, module, self._namespace(file, source, module))

    def _namespace(self, file: SchemaFile, source: ModuleSource, module: ModuleType) -> dict[str, Any]:
        """What names mean in a schema, for its reader as for a type checker."""
        namespace = dict(vars(module))
        for statement in source.checking:
            try:
                # As trusted as the module itself, which has just been executed.
                exec(compile(ast.Module([statement], []), str(file.path), "exec"), namespace)
            except Exception as error:
                line = position_in(error, file.path).line
                column = place(file.path, statement.lineno, statement.col_offset).column
                message = f"what stands under TYPE_CHECKING failed: {told(error)}"
                hint = "it must be possible to import what a schema names"
                self._faults.append(Diagnostic(file.shown, line, column, message, hint))
        return namespace


class _SchemaReader:
    """Reads one schema. It is told, as `Declarations`, of each model and interface that the schema names."""

    def __init__(self, loaded: _Loaded, project: _Project, faults: list[Diagnostic]) -> None:
        self._loaded = loaded
        self._project = project
        self._faults = faults
        self._models: dict[object, ir.Model | None] = {}  # by class, or by generic record with its type arguments
        self._errors: dict[type[BaseException], ir.Error] = {}
        self._has_templates = False
        self._case: naming.Case = self._wire_case()

    def schema(self) -> ir.Schema | None:
        """Describe the schema, or give None if this module declares nothing."""
        file = self._loaded.file
        before = len(self._faults)
        declared = self._declarations()
        models = self._in_source_order()
        if not models and not declared and len(self._faults) == before:
            if file.given and not self._has_templates:
                hint = "declare one: class Greeter(Protocol)"
                self._fault(self._loaded.source.position, "no interface is declared here", hint)
            return None
        if file.path.stem == "__init__":
            hint = "move them to a module beside it: generated packages have an __init__.py of their own"
            first = next(iter(self._loaded.source.classes.values()), None)
            place = first.position if first else self._loaded.source.position
            self._fault(place, "models and interfaces are declared in __init__.py", hint)
            return None
        return ir.Schema(
            module=file.module,
            path=file.shown,
            output=file.output,
            doc=self._loaded.source.doc,
            models=models,
            interfaces=tuple(one for one in declared if isinstance(one, ir.Interface)),
            errors=tuple(self._errors.values()),
            callbacks=tuple(one for one in declared if isinstance(one, ir.Callback)),
        )

    def _declarations(self) -> list[ir.Interface | ir.Callback]:
        """Read all classes of the module; the models come to stand in `_models`."""
        loaded = self._loaded
        found: list[ir.Interface | ir.Callback] = []
        types = Shapes(loaded.namespace, self, constraints=False)
        lists = parameter_models(loaded.source, loaded.namespace)
        for name, source in loaded.source.classes.items():
            value: type[object] | None = vars(loaded.module).get(name)
            if not isinstance(value, type):  # the name may have been given to something else
                continue
            own = value.__module__ == loaded.module.__name__
            elsewhere = own and value.__name__ != name and class_fault(value)
            if elsewhere:
                self._fault(source.position, *elsewhere)
            elif shapes.is_model(value):
                if own and value not in lists and not _is_template(value):
                    self.model(value)
            elif record_form(value) is not None:
                if own and not value.__name__.startswith("_") and not shapes.is_generic(value):
                    self.model(value)
            elif shapes.is_interface(value) and is_callback(value):
                if own and _is_declared_callback(value):
                    found.append(self._callback_reader(types).callback(value, source))
                elif own and shapes.is_generic(value):
                    self._has_templates = True
            elif shapes.is_interface(value):
                fault = shapes.interface_fault(value)
                if fault is not None:
                    self._fault(source.position, *fault)
                elif own and shapes.is_generic(value):
                    self._has_templates = True
                elif own:
                    found.append(self._reader_of(value, types).read(value, source))
            elif any(_is_declared_interface(base) for base in value.__mro__[1:]):
                message = f"{name} inherits an interface, but is a class"
                self._fault(source.position, message, "list Protocol among its bases, or move it out of the schema")
            elif own and (forgotten := forgotten_base(value, source)):
                self._fault(source.position, *forgotten)
        self._refuse_unreal()
        return [*found, *(self.instance_of(instance) for instance in self._project.instances.of(self.home))]

    def _refuse_unreal(self) -> None:
        """Refuses what only type checkers see: nobody could import it."""
        for declared in self._loaded.source.unreal:
            value = self._loaded.namespace.get(declared.name)
            if shapes.is_interface(value) or shapes.is_model(value) or record_form(value) is not None:
                message = f"{declared.name} is declared under TYPE_CHECKING, where Python does not find it"
                self._fault(declared.position, message, "declare it outside")

    def _reader_of(self, interface: type, types: Shapes) -> InterfaceReader:
        """What reads an interface of this file."""
        loaded = self._loaded
        reader = InterfaceReader(loaded.file.shown, loaded.namespace, self._case, types, self._faults)
        return InterfaceModelReader(reader, loaded.source) if is_interface_model(interface) else reader

    def _callback_reader(self, types: Shapes) -> CallbackReader:
        loaded = self._loaded
        return CallbackReader(loaded.file.shown, types.namespace, self._case, types, self._faults)

    def instance_of(self, instance: Instance) -> ir.Interface | ir.Callback:
        """Describe a generic with type arguments, as one of this schema: another may declare the generic."""
        home = self._project.declaring(instance)
        parameters = {one.__name__: one for one in getattr(instance.origin, "__type_params__", ())}
        namespace = {**home.namespace, **parameters}
        types = Shapes(namespace, self, constraints=False, bindings=instance.bindings)
        loaded = replace(home, namespace=namespace)
        there = _SchemaReader(loaded, self._project, self._faults)
        source = home.source.classes[instance.origin.__name__]
        read: ir.Interface | ir.Callback
        if is_callback(instance.origin):
            read = there._callback_reader(types).callback(instance.origin, source)
        else:
            read = there._reader_of(instance.origin, types).read(instance.origin, source)
        arguments = tuple(types.from_type(argument, source.position) for argument in instance.arguments)
        origin = ir.Reference(module=instance.origin.__module__, name=instance.origin.__name__)
        said = f"This is `{instance.written}`."
        return read.model_copy(
            update={
                "name": instance.name,
                "doc": f"{read.doc}\n\n{said}" if read.doc else said,
                "generic": ir.Generic(origin=origin, arguments=arguments),
                "path": home.file.shown,
            }
        )

    def _in_source_order(self) -> tuple[ir.Model, ...]:
        """The models as the schema declares them, then those from elsewhere as they were found."""
        place = {name: index for index, name in enumerate(self._loaded.source.classes)}
        module, last = self._loaded.file.module, len(place)
        models = [model for model in self._models.values() if model is not None]
        return tuple(sorted(models, key=lambda model: place.get(model.name, last) if model.module == module else last))

    @property
    def home(self) -> str:
        """The module of the schema."""
        return self._loaded.file.module

    def model(self, model: object) -> tuple[str, str] | None:
        """A type names this model: it is read here, unless another schema of this run declares it."""
        instance = generic_origin(model) is not None  # described wherever it is named
        home: str = (generic_origin(model) or model).__module__
        if model in self._models or (not instance and home != self.home and self._project.belongs(home)):
            return None
        twice = self._imported_twice(describe(model), home)
        if twice is not None:
            return twice
        self._models[model] = None  # holds its place, and ends the recursion of models that contain each other
        path, source = self._source_of(home)
        self._models[model] = ModelReader(path, source.classes, self._case, self, self._faults).read(model)
        return None

    def interface(self, interface: type) -> tuple[str, str] | None:
        """A type names this interface: one of the schemas of this run must declare it, unless it is generic."""
        home = interface.__module__
        if home == self.home or self._project.belongs(home):
            loaded = self._project.loaded(home)
            if loaded is None or interface.__name__ in loaded.names():
                return None
            reason = f"{interface.__name__} is declared by no class statement at the top level of its module"
            return reason, f"write it there: class {interface.__name__}(Protocol)"
        twice = self._imported_twice(interface.__name__, home)
        if twice is not None:
            return twice
        if shapes.is_generic(interface):  # becomes an interface of this run, with its type arguments
            loaded = self._project.elsewhere(home)
            if loaded is not None and interface.__name__ in loaded.names():
                return None
        return f"{interface.__name__} is declared in {home}, which is not compiled", "compile both schemas in one run"

    def instance(self, origin: type, arguments: tuple[object, ...]) -> ir.Reference:
        """A type names a generic interface with type arguments: it becomes an interface of some schema of this run."""
        return self._project.instances.named(origin, arguments)

    def error(self, error: type[BaseException]) -> tuple[str, str] | None:
        """A method declares this exception: it is described in each schema that names it."""
        if error not in self._errors:
            path, source = self._source_of(error.__module__)
            self._errors[error] = ErrorReader(path, source.classes, self, self._faults).read(error)
        return None

    def namespace(self, module: str) -> Mapping[str, Any]:
        """What names mean in another module, for type checkers too if it is a schema of this run."""
        loaded = self._project.loaded(module) if self._project.belongs(module) else None
        return loaded.namespace if loaded else namespace_of(module)

    def _imported_twice(self, name: str, module: str) -> tuple[str, str] | None:
        """Why what comes from a module cannot be named: it is a schema of this run under another name."""
        file = self._project.namesake(module)
        if file is None:
            return None
        reason = f"{name} comes from {module}, but {file.shown} is compiled as {file.module}: it exists twice"
        return reason, f"import it from {file.module}, or relatively; or make the folders above it packages"

    def _source_of(self, module: str) -> tuple[str, ModuleSource]:
        if module == self._loaded.file.module:
            return self._loaded.file.shown, self._loaded.source
        origin = getattr(sys.modules.get(module), "__file__", None)
        source = source_of(module)
        if origin is None or source is None:  # it is compiled, for instance
            return module, ModuleSource(None)
        return shown(Path(origin)), executed(source, namespace_of(module), Path(origin))[0]

    def _wire_case(self) -> naming.Case:
        declared = getattr(self._loaded.module, "WIRE_CASE", "as-written")
        case = naming.as_case(declared)
        if case is None:
            source = self._loaded.source
            written = source.values.get("WIRE_CASE")
            position = written.position if written else source.position
            self._fault(position, f"WIRE_CASE is {constant(declared)}, an unknown case", naming.CASE_HINT)
        return case or "as-written"

    def _fault(self, position: Position, message: str, hint: str) -> None:
        self._faults.append(Diagnostic(self._loaded.file.shown, position.line, position.column, message, hint))


def _numbers(position: Position) -> tuple[int, int]:
    return position.line, position.column


def _is_template(model: type[BaseModel]) -> bool:
    """Whether a model is there for other models rather than to travel: private, or generic."""
    return model.__name__.startswith("_") or shapes.is_generic(model)


def _is_declared_callback(protocol: type) -> bool:
    """Whether a callback is declared under its own name; any other is described, or refused, wherever it is named."""
    described = shapes.is_generic(protocol) or protocol.__name__.startswith("_") or callbacks.is_plain(protocol)
    return not described and callbacks.fault(protocol) is None


def _is_declared_interface(base: type) -> bool:
    return shapes.is_interface(base) and shapes.interface_fault(base) is None and not is_callback(base)
