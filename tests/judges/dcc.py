"""Foreign judges of the DCC, in one process for many files: it is slow to start.

    dcc.py schematron FILE…        PTB's rules beyond the schema (package dcclib)
    dcc.py schema DCC.XSD FILE…    a second engine for the schema (package xmlschema)
    dcc.py units FILE…             PTB's parser of units (package dsiUnits)
    dcc.py numbers FILE…           FILE.xml against the results FILE.csv that lie beside it
    dcc.py texts FILE…             customer, maker and device as a reader gets them

Prints one line of JSON a file: a list of complaints, or for `texts` the texts.
"""

import csv
import json
import os
import sys
import warnings
from xml.etree import ElementTree

DCC = "{https://ptb.de/dcc}"
SI = "{https://ptb.de/si}"
OWN = "{urn:phantomload:chain:1}"


def schematron(files):
    import dcclib
    from dcclib.validation.schematron import SchematronValidator

    # The compiled rules that the package prefers are older than their source.
    rules = os.path.join(os.path.dirname(dcclib.__file__), "validation", "schema", "dcc.sch")
    validator = SchematronValidator.from_file(rules)
    for file in files:
        result = validator.validate_file(file)
        # Its own `is_valid` counts failed assertions alone; errors and warnings also come as reports.
        reports = [r for r in result.successful_reports if r.role != "information"]
        yield [" ".join(f"{r.role}: {r.text}".split()) for r in result.failed_assertions + reports]


def schema(files):
    import xmlschema

    judge = xmlschema.XMLSchema(files[0], allow="local")
    for file in files[1:]:
        yield [f"{e.path}: {e.reason}" for e in judge.iter_errors(file)]


def units(files):
    from dsi_unit import DsiUnit

    for file in files:
        root = ElementTree.parse(file).getroot()
        found = [e.text for e in root.iter() if e.tag in (SI + "unit", SI + "unitXMLList")]
        complaints = [] if found else ["no unit at all"]
        for text in sorted(set(found)):
            for unit in text.split(" "):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    parsed = DsiUnit(unit)
                if not parsed.valid or parsed.non_dsi_unit or parsed.warnings:
                    complaints.append(f"{unit}: {parsed.warnings}")
        yield complaints


# The column of the results file for each kind of quantity.
COLUMNS = {
    "phantomload_row": "point_no",
    "phantomload_nominalVoltage": "nominal_voltage_V",
    "phantomload_nominalCurrent": "nominal_current_A",
    "phantomload_voltage": "voltage_V",
    "phantomload_current": "current_A",
    "basic_referenceValue": "reference_energy_kWh",
    "basic_measuredValue": "indicated_energy_kWh",
    "phantomload_pulses": "pulses",
    "phantomload_repeats": "repeats",
    "basic_measurementError": "error_percent",
    "phantomload_roundedError": "error_rounded_percent",
    "phantomload_roundedValue": "value_rounded",
    "phantomload_upperBound": "upper_bound_percent",
}
RESULTS = {"pass": "pass", "fail": "fail", "noPass": "not_assessed"}


def numbers(files):
    for file in files:
        with open(file[: -len(".xml")] + ".csv", encoding="utf-8-sig", newline="") as opened:
            rows = {row["point_no"]: row for row in csv.DictReader(opened)}
        results = ElementTree.parse(file).getroot().find(f"{DCC}measurementResults/{DCC}measurementResult")
        complaints, seen = [], []

        def same(no, column, said):
            cell = rows[no][column]
            if ("" if said == "NaN" else said) != cell:
                complaints.append(f"row {no} {column}: {said!r}, CSV {cell!r}")

        for result in results.find(DCC + "results"):
            table = result.find(f"{DCC}data/{DCC}list")
            if result.get("refType") == "phantomload_crossCheck":
                continue
            quantities = {q.get("refType"): q for q in table.findall(DCC + "quantity")}

            def values(quantity):
                one, many = quantity.find(f"{SI}real/{SI}value"), quantity.find(f"{SI}realListXMLList/{SI}valueXMLList")
                return [one.text] if one is not None else many.text.split(" ") if many is not None else []

            nos = values(quantities["phantomload_row"])
            seen += nos
            for kind, quantity in quantities.items():
                said = values(quantity)
                if kind in COLUMNS and len(said) != len(nos):
                    complaints.append(f"{kind}: {len(said)} values for {len(nos)} rows")
                for no, value in zip(nos, said):
                    if kind in COLUMNS:
                        same(no, COLUMNS[kind], value)
            # What the CSV has must also stand here.
            for no in nos:
                for kind, column in COLUMNS.items():
                    table_only = kind in ("basic_measurementError", "phantomload_roundedError")
                    hidden = kind in ("phantomload_roundedValue", "phantomload_upperBound")
                    if rows[no][column] and kind not in quantities:
                        if table_only and result.get("refType") != "phantomload_errorTable":
                            complaints.append(f"row {no}: an error outside the table")
                        elif not (hidden and "basic_measurementError" in quantities):
                            complaints.append(f"row {no}: {column} is missing")
            error = quantities.get("basic_measurementError", quantities.get("phantomload_value"))
            for name, column in [
                ("valueExpandedMU", "expanded_uncertainty"),
                ("coverageFactor", "coverage_factor"),
                ("coverageProbability", "coverage_probability"),
            ]:
                found = [e.text.split(" ") for e in error.iter() if e.tag in (SI + name, SI + name + "XMLList")]
                for no, value in zip(nos, found[0] if found else ["NaN"] * len(nos)):
                    same(no, column, value)
            if table.find(DCC + "dateTime") is not None:
                same(nos[0], "started_at", table.find(DCC + "dateTime").text)
            times = quantities.get("basic_referenceValue")
            times = None if times is None else times.find(f"{SI}realListXMLList/{SI}dateTimeXMLList")
            for no, value in zip(nos, [] if times is None else times.text.split(" ")):
                same(no, "started_at", value)
            verdicts = [e.text.split(" ") for e in table.iter() if e.tag in (DCC + "conformity", DCC + "conformityXMLList")]
            if len(verdicts) != 1 or len(verdicts[0]) != len(nos):
                complaints.append(f"rows {nos}: verdicts {verdicts}")
            for no, value in zip(nos, verdicts[0]):
                same(no, "result", RESULTS.get(value))
            uppers = [q for q in table.iter(DCC + "quantity") if q.get("refType") == "basic_toleranceLimitUpper"]
            lowers = [q for q in table.iter(DCC + "quantity") if q.get("refType") == "basic_toleranceLimitLower"]
            # Where only a bound is known, the limit stands in the columns in percent alone.
            for no, value in zip(nos, values(uppers[0]) if uppers else [""] * len(nos)):
                same(no, "limit" if rows[no]["limit"] else "limit_high_percent", value)
            for no, value in zip(nos, values(lowers[0]) if lowers else []):
                if rows[no]["limit_low_percent"]:
                    same(no, "limit_low_percent", value)
                elif value.lstrip("-") != rows[no]["limit"]:
                    complaints.append(f"row {no}: lower limit {value}")
        if sorted(seen, key=int) != sorted(rows, key=int):
            complaints.append(f"rows {seen}, CSV has {list(rows)}")
        yield complaints


def texts(files):
    for file in files:
        root = ElementTree.parse(file).getroot()
        administrative = root.find(DCC + "administrativeData")
        customer = administrative.find(f"{DCC}customer/{DCC}name/{DCC}content")
        maker = administrative.find(f"{DCC}items/{DCC}item/{DCC}manufacturer/{DCC}name/{DCC}content")
        yield [customer.text, maker.text, root.find(f"{DCC}comment/{OWN}link").get("device")]


if __name__ == "__main__":
    judges = {f.__name__: f for f in (schematron, schema, units, numbers, texts)}
    for answer in judges[sys.argv[1]](sys.argv[2:]):
        print(json.dumps(answer))
