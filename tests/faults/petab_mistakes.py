"""Two small PEtab problems, and what can be wrong with each: one mistake at a time.

A mistake says which file is spoilt and how, and where `kinetune check` must put its finger: the beginning of one of its
messages, behind the folder. It is at least as strict as PEtab's own linter; compare_with_petablint.py asks that one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MODEL = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1">
<model id="chain">
<listOfCompartments><compartment id="cell" spatialDimensions="3" size="1" constant="true"/></listOfCompartments>
<listOfSpecies>
<species id="A" compartment="cell" initialConcentration="1" hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"/>
<species id="B" compartment="cell" initialConcentration="0" hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"/>
</listOfSpecies>
<listOfParameters>
<parameter id="k1" value="1" constant="true"/>
<parameter id="k2" value="0.5" constant="true"/>
<parameter id="dose" value="1" constant="true"/>
<parameter id="total" constant="false"/>
</listOfParameters>
<listOfRules><assignmentRule variable="total">
<math xmlns="http://www.w3.org/1998/Math/MathML"><apply><plus/><ci>A</ci><ci>B</ci></apply></math>
</assignmentRule></listOfRules>
<listOfReactions>
<reaction id="r1" reversible="false" fast="false">
<listOfReactants><speciesReference species="A" stoichiometry="1" constant="true"/></listOfReactants>
<listOfProducts><speciesReference species="B" stoichiometry="1" constant="true"/></listOfProducts>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML">
<apply><times/><ci>cell</ci><ci>k1</ci><ci>A</ci><ci>dose</ci><ci>slow</ci></apply></math>
<listOfLocalParameters><localParameter id="slow" value="0.9"/></listOfLocalParameters></kineticLaw>
</reaction>
<reaction id="r2" reversible="false" fast="false">
<listOfReactants><speciesReference species="B" stoichiometry="1" constant="true"/></listOfReactants>
<listOfProducts><speciesReference species="A" stoichiometry="1" constant="true"/></listOfProducts>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>cell</ci><ci>k2</ci><ci>B</ci></apply></math></kineticLaw>
</reaction>
</listOfReactions>
</model></sbml>
"""

VERSION_1 = {
    "problem.yaml": """format_version: 1
parameter_file: parameters.tsv
problems:
- sbml_files: [model.xml]
  condition_files: [conditions.tsv]
  observable_files: [observables.tsv]
  measurement_files: [measurements.tsv]
  visualization_files: [plots.tsv]
""",
    "model.xml": MODEL,
    "parameters.tsv": """parameterId	parameterScale	lowerBound	upperBound	nominalValue	estimate	objectivePriorType	objectivePriorParameters
k1	log10	0.001	1000	1	1	parameterScaleNormal	0;1
k2	lin	0	10	0.5	1	uniform	0;10
low	lin	0	1	0.5	0
scale	log	0.1	10	1	1
noise	lin	0.01	10	0.1	1
""",
    "conditions.tsv": """conditionId	conditionName	dose	A
rest	no drug	0	1
drug	drug	low	1
""",
    "observables.tsv": """observableId	observableName	observableFormula	noiseFormula	observableTransformation	noiseDistribution
y	Y	observableParameter1_y * B	noiseParameter1_y	log10	normal
z	Z	A / total	0.1	lin	laplace
""",
    "measurements.tsv": """observableId	preequilibrationConditionId	simulationConditionId	measurement	time	observableParameters	noiseParameters
y	rest	drug	0.4	1	scale	noise
y	rest	drug	0.6	2	2	0.3
z		drug	0.6	2
z		rest	1	inf
""",
    "plots.tsv": """plotId	plotTypeSimulation	plotTypeData	xValues	xOffset	xScale	yValues	yScale
p	LinePlot	MeanAndSD	time	0	log10	y	log10
q	BarPlot	replicate	dose	1	lin	z	lin
""",
}

VERSION_2 = {
    "problem.yaml": """format_version: 2.0.0
model_files:
  chain: {location: model.xml, language: sbml}
parameter_files: [parameters.tsv]
condition_files: [conditions.tsv]
experiment_files: [experiments.tsv]
observable_files: [observables.tsv]
measurement_files: [measurements.tsv]
mapping_files: [mapping.tsv]
""",
    "model.xml": MODEL,
    "parameters.tsv": """parameterId	lowerBound	upperBound	nominalValue	estimate	priorDistribution	priorParameters
k1	0.001	1000	1	true	log-normal	0;1
k2	0	10	0.5	true	uniform	0;10
low			0.5	false
scale_y	0.1	10	1	true
noise	0.01	10	0.1	true
""",
    "conditions.tsv": """conditionId	targetId	targetValue
rest	dose	0
drug	dose	low * 2
more	A	A + 1
""",
    "experiments.tsv": """experimentId	time	conditionId
e	-inf	rest
e	0	drug
e	5	more
plain	0	drug
""",
    "observables.tsv": """observableId	observableFormula	noiseFormula	noiseDistribution	observablePlaceholders	noisePlaceholders
y	factor * B	sigma	log-normal	factor	sigma
z	A / total	0.1	laplace
""",
    "measurements.tsv": """observableId	experimentId	measurement	time	observableParameters	noiseParameters
y	e	0.4	1	scale_y	noise
y	e	0.6	6	2	0.3
z	plain	0.6	2
z	plain	1	inf
""",
    "mapping.tsv": """petabEntityId	modelEntityId
slow	r1.slow
""",
}


@dataclass
class Mistake:
    name: str
    file: str
    old: str  # the first of it is replaced; all of the file where it is empty
    new: str
    verdict: str  # how one of our messages begins


V1 = [
    # The YAML file.
    Mistake("a version that is no number", "problem.yaml", "format_version: 1", "format_version: one", "problem.yaml:1: "),
    Mistake("a version that does not exist", "problem.yaml", "format_version: 1", "format_version: 7", "problem.yaml:1: "),
    Mistake("no version", "problem.yaml", "format_version: 1\n", "", "problem.yaml:1: no 'format_version'"),
    Mistake("no parameter file", "problem.yaml", "parameter_file: parameters.tsv\n", "", "problem.yaml:1: no 'parameter_file'"),
    Mistake("no problems", "problem.yaml", "problems:\n", "problem:\n", "problem.yaml:1: no 'problems'"),
    Mistake("no model", "problem.yaml", "sbml_files: [model.xml]", "sbml_file: [model.xml]", "problem.yaml:4: no 'sbml_files'"),
    Mistake("no observables", "problem.yaml", "  observable_files: [observables.tsv]\n", "", "problem.yaml:4: no 'observable_files'"),
    Mistake("no measurements", "problem.yaml", "  measurement_files: [measurements.tsv]\n", "", "problem.yaml:4: no 'measurement_files'"),
    Mistake("no conditions", "problem.yaml", "  condition_files: [conditions.tsv]\n", "", "problem.yaml:4: no 'condition_files'"),
    Mistake("a table that does not exist", "problem.yaml", "[conditions.tsv]", "[condition.tsv]", "problem.yaml:5: no such file"),
    Mistake("a model that does not exist", "problem.yaml", "[model.xml]", "[models.xml]", "problem.yaml:4: no such file"),
    Mistake("a list that is none", "problem.yaml", "[conditions.tsv]", "conditions.tsv", "problem.yaml:5: 'condition_files' is no list"),
    Mistake("a visualization that does not exist", "problem.yaml", "[plots.tsv]", "[plot.tsv]", "problem.yaml:8: no such file"),
    Mistake("malformed YAML", "problem.yaml", "[model.xml]", "[model.xml", "problem.yaml:5: malformed YAML"),
    Mistake("a model that is no SBML", "model.xml", "", "<html/>\n", "model.xml:1: "),
    Mistake("a model that breaks off", "model.xml", "</model></sbml>", "", "model.xml:"),
    Mistake("a model with a unit that nobody knows", "model.xml", '<parameter id="k1"', '<parameter id="k1" units="furlong"', "model.xml:10: not valid SBML"),
    # Parameters.
    Mistake("no parameterId column", "parameters.tsv", "parameterId", "parameter", "parameters.tsv:1: no column 'parameterId'"),
    Mistake("no parameterScale column", "parameters.tsv", "parameterScale", "scale", "parameters.tsv:1: no column 'parameterScale'"),
    Mistake("no lowerBound column", "parameters.tsv", "lowerBound", "lower", "parameters.tsv:1: no column 'lowerBound'"),
    Mistake("no estimate column", "parameters.tsv", "estimate", "fit", "parameters.tsv:1: no column 'estimate'"),
    Mistake("a parameter twice", "parameters.tsv", "k2\tlin", "k1\tlin", "parameters.tsv:3: parameter 'k1' is defined twice"),
    Mistake("an id that is none", "parameters.tsv", "k2\tlin", "2k\tlin", "parameters.tsv:3: parameterId '2k' is no valid id"),
    Mistake("an empty id", "parameters.tsv", "k2\tlin", "\tlin", "parameters.tsv:3: parameterId is empty"),
    Mistake("a scale that does not exist", "parameters.tsv", "k2\tlin", "k2\tlog2", "parameters.tsv:3: parameterScale is 'log2'"),
    Mistake("bounds reversed", "parameters.tsv", "k2\tlin\t0\t10", "k2\tlin\t10\t0", "parameters.tsv:3: lower bound of 'k2' above"),
    Mistake("a lower bound that is NaN", "parameters.tsv", "k2\tlin\t0\t", "k2\tlin\tNaN\t", "parameters.tsv:3: lowerBound is empty"),
    Mistake("an upper bound that is missing", "parameters.tsv", "k2\tlin\t0\t10", "k2\tlin\t0\t", "parameters.tsv:3: upperBound is empty"),
    Mistake("a bound that is text", "parameters.tsv", "k2\tlin\t0\t10", "k2\tlin\t0\tten", "parameters.tsv:3: upperBound 'ten' is not a number"),
    Mistake("a negative bound on a log scale", "parameters.tsv", "log10\t0.001", "log10\t-0.001", "parameters.tsv:2: bound of 'k1' below zero"),
    Mistake("a bound of zero on a log scale", "parameters.tsv", "log10\t0.001", "log10\t0", "parameters.tsv:2: bound of 'k1' at zero"),
    Mistake("estimate neither 0 nor 1", "parameters.tsv", "0.5\t1\tuniform", "0.5\t2\tuniform", "parameters.tsv:3: estimate is '2'"),
    Mistake("estimate missing", "parameters.tsv", "0.5\t1\tuniform", "0.5\t\tuniform", "parameters.tsv:3: estimate is"),
    Mistake("a fixed parameter without a value", "parameters.tsv", "low\tlin\t0\t1\t0.5", "low\tlin\t0\t1\t", "parameters.tsv:4: nominalValue is empty"),
    Mistake("a prior that does not exist", "parameters.tsv", "parameterScaleNormal", "scaleNormal", "parameters.tsv:2: objectivePriorType is 'scaleNormal'"),
    Mistake("a prior with one number", "parameters.tsv", "parameterScaleNormal\t0;1", "parameterScaleNormal\t0", "parameters.tsv:2: objectivePriorParameters"),
    Mistake("a prior with text", "parameters.tsv", "parameterScaleNormal\t0;1", "parameterScaleNormal\t0;one", "parameters.tsv:2: objectivePriorParameters"),
    Mistake("a prior without numbers", "parameters.tsv", "parameterScaleNormal\t0;1", "parameterScaleNormal\t", "parameters.tsv:2: objectivePriorParameters is empty"),
    Mistake("a parameter that nothing uses", "parameters.tsv", "noise\tlin", "idle\tlin\t0\t1\t1\t1\nnoise\tlin", "parameters.tsv:6: parameter 'idle' is used nowhere"),
    Mistake("a parameter that is a state", "parameters.tsv", "low\tlin", "B\tlin", "parameters.tsv:4: 'B' in the parameter table is a state"),
    Mistake("a parameter that a rule gives", "parameters.tsv", "low\tlin", "total\tlin", "parameters.tsv:4: 'total' in the parameter table is given by"),
    Mistake("a parameter that conditions set, too", "parameters.tsv", "low\tlin", "dose\tlin\t0\t1\t1\t1\nlow\tlin", "parameters.tsv:4: 'dose' is a parameter and a column"),
    Mistake("a parameter that is missing", "parameters.tsv", "noise\tlin\t0.01\t10\t0.1\t1\n", "", "measurements.tsv:2: unknown parameter 'noise'"),
    Mistake("a placeholder among the parameters", "parameters.tsv", "noise\tlin", "noiseParameter1_y\tlin\t0\t1\t1\t1\nnoise\tlin", "parameters.tsv:6: 'noiseParameter1_y' is a placeholder"),
    Mistake("a bound with blanks around", "parameters.tsv", "k2\tlin\t", "k2\tlin \t", "parameters.tsv:3: parameterScale 'lin ' has blanks"),
    Mistake("a column name with a blank", "parameters.tsv", "nominalValue", "nominalValue ", "parameters.tsv:1: column 'nominalValue ' has blanks"),
    # Conditions.
    Mistake("no conditionId column", "conditions.tsv", "conditionId", "condition", "conditions.tsv:1: no column 'conditionId'"),
    Mistake("a condition twice", "conditions.tsv", "drug\tdrug", "rest\tdrug", "conditions.tsv:3: condition 'rest' is defined twice"),
    Mistake("a condition id that is none", "conditions.tsv", "drug\tdrug", "dr-ug\tdrug", "conditions.tsv:3: conditionId 'dr-ug' is no valid id"),
    Mistake("a column that the model does not know", "conditions.tsv", "\tA\n", "\tC\n", "conditions.tsv:1: condition column 'C' is unknown"),
    Mistake("a column that a rule gives", "conditions.tsv", "\tA\n", "\ttotal\n", "conditions.tsv:1: condition column 'total' is given by"),
    Mistake("a column that is a reaction", "conditions.tsv", "\tA\n", "\tr1\n", "conditions.tsv:1: condition column 'r1' is given by"),
    Mistake("a column twice", "conditions.tsv", "\tA\n", "\tdose\n", "conditions.tsv:1: column 'dose' appears twice"),
    Mistake("a value that nobody knows", "conditions.tsv", "\tlow\t", "\tlower\t", "conditions.tsv:3: 'lower', the value of 'dose', is unknown"),
    Mistake("a value that is a state", "conditions.tsv", "\tlow\t", "\tB\t", "conditions.tsv:3: 'B', the value of 'dose', is a state"),
    Mistake("a value that is a formula", "conditions.tsv", "\tlow\t", "\t2*low\t", "conditions.tsv:3: '2*low' in dose"),
    # Observables.
    Mistake("no observableId column", "observables.tsv", "observableId", "observable", "observables.tsv:1: no column 'observableId'"),
    Mistake("no observableFormula column", "observables.tsv", "observableFormula", "formula", "observables.tsv:1: no column 'observableFormula'"),
    Mistake("no noiseFormula column", "observables.tsv", "noiseFormula", "noise", "observables.tsv:1: no column 'noiseFormula'"),
    Mistake("an observable twice", "observables.tsv", "z\tZ", "y\tZ", "observables.tsv:3: observable 'y' is defined twice"),
    Mistake("an observable id that is none", "observables.tsv", "z\tZ", "z z\tZ", "observables.tsv:3: observableId 'z z' is no valid id"),
    Mistake("an observable with a model id", "observables.tsv", "z\tZ", "A\tZ", "observables.tsv:3: observable 'A' has the id of a model entity"),
    Mistake("a formula that breaks off", "observables.tsv", "A / total", "A /", "observables.tsv:3: formula 'A /'"),
    Mistake("a formula with an unknown id", "observables.tsv", "A / total", "A / all", "observables.tsv:3: unknown id 'all' in observableFormula"),
    Mistake("a noise formula with an unknown id", "observables.tsv", "\t0.1\t", "\tsd\t", "observables.tsv:3: unknown id 'sd' in noiseFormula"),
    Mistake("a formula with blanks around", "observables.tsv", "A / total", " A / total", "observables.tsv:3: observableFormula ' A / total' has blanks"),
    Mistake("an empty formula", "observables.tsv", "A / total", "", "observables.tsv:3: observableFormula is empty"),
    Mistake("an empty noise formula", "observables.tsv", "\t0.1\t", "\t\t", "observables.tsv:3: noiseFormula is empty"),
    Mistake("noise of zero", "observables.tsv", "\t0.1\t", "\t0\t", "observables.tsv:3: noiseFormula is 0"),
    Mistake("a transformation that does not exist", "observables.tsv", "log10\tnormal", "log2\tnormal", "observables.tsv:2: observableTransformation is 'log2'"),
    Mistake("a noise distribution that does not exist", "observables.tsv", "lin\tlaplace", "lin\tcauchy", "observables.tsv:3: noiseDistribution is 'cauchy'"),
    Mistake("placeholders with a gap", "observables.tsv", "observableParameter1_y", "observableParameter2_y", "observables.tsv:2: 1 placeholders of y, but no observableParameter1_y"),
    # Measurements.
    Mistake("no measurement column", "measurements.tsv", "\tmeasurement\t", "\tvalue\t", "measurements.tsv:1: no column 'measurement'"),
    Mistake("no time column", "measurements.tsv", "\ttime\t", "\tt\t", "measurements.tsv:1: no column 'time'"),
    Mistake("no simulationConditionId column", "measurements.tsv", "simulationConditionId", "conditionId", "measurements.tsv:1: no column 'simulationConditionId'"),
    Mistake("an unknown observable", "measurements.tsv", "z\t\tdrug", "w\t\tdrug", "measurements.tsv:4: unknown observable 'w'"),
    Mistake("no observable", "measurements.tsv", "z\t\tdrug", "\t\tdrug", "measurements.tsv:4: observableId is empty"),
    Mistake("an unknown condition", "measurements.tsv", "z\t\tdrug", "z\t\tdrugs", "measurements.tsv:4: unknown condition 'drugs'"),
    Mistake("no condition", "measurements.tsv", "z\t\tdrug", "z\t\t", "measurements.tsv:4: simulationConditionId is empty"),
    Mistake("an unknown condition before", "measurements.tsv", "y\trest\tdrug\t0.6", "y\trests\tdrug\t0.6", "measurements.tsv:3: unknown condition 'rests'"),
    Mistake("a measurement that is text", "measurements.tsv", "drug\t0.6\t2\n", "drug\thigh\t2\n", "measurements.tsv:4: measurement 'high' is not a number"),
    Mistake("a measurement that is missing", "measurements.tsv", "drug\t0.6\t2\n", "drug\t\t2\n", "measurements.tsv:4: measurement is empty"),
    Mistake("a measurement that is infinite", "measurements.tsv", "drug\t0.6\t2\n", "drug\tinf\t2\n", "measurements.tsv:4: the measurement is infinite"),
    Mistake("a time that is missing", "measurements.tsv", "drug\t0.6\t2\n", "drug\t0.6\t\n", "measurements.tsv:4: time is empty"),
    Mistake("a time that is negative", "measurements.tsv", "drug\t0.6\t2\n", "drug\t0.6\t-2\n", "measurements.tsv:4: the time is negative"),
    Mistake("a time that is text", "measurements.tsv", "drug\t0.6\t2\n", "drug\t0.6\tsoon\n", "measurements.tsv:4: time 'soon' is not a number"),
    Mistake("a measurement without a logarithm", "measurements.tsv", "drug\t0.4\t1", "drug\t-0.4\t1", "measurements.tsv:2: measurement -0.4 of 'y' has no logarithm"),
    Mistake("too few values for placeholders", "measurements.tsv", "\tscale\tnoise", "\t\tnoise", "measurements.tsv:2: 0 entries in observableParameters"),
    Mistake("too many values for placeholders", "measurements.tsv", "\tscale\tnoise", "\tscale;2\tnoise", "measurements.tsv:2: 2 entries in observableParameters"),
    Mistake("values without placeholders", "measurements.tsv", "drug\t0.6\t2\n", "drug\t0.6\t2\t1\n", "measurements.tsv:4: 1 entries in observableParameters"),
    Mistake("no value for the noise", "measurements.tsv", "\tscale\tnoise", "\tscale\t", "measurements.tsv:2: 0 entries in noiseParameters"),
    Mistake("an unknown value for the noise", "measurements.tsv", "\tscale\tnoise", "\tscale\tloud", "measurements.tsv:2: unknown parameter 'loud'"),
    Mistake("a value that is neither number nor id", "measurements.tsv", "\tscale\tnoise", "\tscale\t0,1", "measurements.tsv:2: '0,1' in noiseParameters"),
    Mistake("a row that is too long", "measurements.tsv", "drug\t0.6\t2\n", "drug\t0.6\t2\t\t\tx\n", "measurements.tsv:4: the row has 8 cells"),
    # Visualizations.
    Mistake("no plotId column", "plots.tsv", "plotId", "plot", "plots.tsv:1: no column 'plotId'"),
    Mistake("a plot without an id", "plots.tsv", "q\tBarPlot", "\tBarPlot", "plots.tsv:3: plotId is empty"),
    Mistake("a plot type that does not exist", "plots.tsv", "BarPlot", "PiePlot", "plots.tsv:3: plotTypeSimulation is 'PiePlot'"),
    Mistake("a data type that does not exist", "plots.tsv", "MeanAndSD", "Mean", "plots.tsv:2: plotTypeData is 'Mean'"),
    Mistake("an x scale that does not exist", "plots.tsv", "0\tlog10", "0\tordered", "plots.tsv:2: xScale is 'ordered'"),
    Mistake("a y scale that does not exist", "plots.tsv", "z\tlin", "z\torder", "plots.tsv:3: yScale is 'order'"),
    Mistake("bars in order", "plots.tsv", "1\tlin", "1\torder", "plots.tsv:3: xScale is 'order' for a plot that is no LinePlot"),
    Mistake("an offset that is text", "plots.tsv", "time\t0", "time\tnone", "plots.tsv:2: xOffset 'none' is not a number"),
    Mistake("x values that nobody knows", "plots.tsv", "dose", "doses", "plots.tsv:3: xValues 'doses' is unknown"),
    Mistake("y values that are no observable", "plots.tsv", "\tz\t", "\tB\t", "plots.tsv:3: yValues 'B' is no observable"),
    Mistake("no y values of several", "plots.tsv", "\tz\t", "\t\t", "plots.tsv:3: yValues is empty"),
    Mistake("a dataset that does not exist", "plots.tsv", "xOffset\txScale\tyValues\tyScale\np\tLinePlot\tMeanAndSD\ttime\t0", "datasetId\txScale\tyValues\tyScale\np\tLinePlot\tMeanAndSD\ttime\td1", "plots.tsv:2: datasetId 'd1' is in no measurement"),
]

V2 = [
    # The YAML file.
    Mistake("a version that is no number", "problem.yaml", "format_version: 2.0.0", "format_version: two", "problem.yaml:1: "),
    Mistake("no version", "problem.yaml", "format_version: 2.0.0\n", "", "problem.yaml:1: no 'format_version'"),
    Mistake("no parameter files", "problem.yaml", "parameter_files: [parameters.tsv]\n", "", "problem.yaml:1: no 'parameter_files'"),
    Mistake("no model files", "problem.yaml", "model_files:\n  chain: {location: model.xml, language: sbml}\n", "", "problem.yaml:1: no 'model_files'"),
    Mistake("no observable files", "problem.yaml", "observable_files: [observables.tsv]\n", "", "problem.yaml:1: no 'observable_files'"),
    Mistake("no measurement files", "problem.yaml", "measurement_files: [measurements.tsv]\n", "", "problem.yaml:1: no 'measurement_files'"),
    Mistake("a model without a place", "problem.yaml", "location: model.xml, ", "", "problem.yaml:3: no 'location'"),
    Mistake("a model without a language", "problem.yaml", ", language: sbml", "", "problem.yaml:3: no 'language'"),
    Mistake("a model in an unknown language", "problem.yaml", "language: sbml", "language: cobol", "problem.yaml:3: models in language 'cobol'"),
    Mistake("an unknown entry", "problem.yaml", "mapping_files", "mappings_files", "problem.yaml:9: unknown entry 'mappings_files'"),
    Mistake("a table that does not exist", "problem.yaml", "[conditions.tsv]", "[condition.tsv]", "problem.yaml:5: no such file"),
    Mistake("an extension that is needed", "problem.yaml", "mapping_files", "extensions: {magic: {version: 1.0.0, required: true}}\nmapping_files", "problem.yaml:9: extension 'magic' is not supported"),
    Mistake("a version with more than numbers", "problem.yaml", "2.0.0", "2.0.x", "problem.yaml:1: format_version '2.0.x' is no version number"),
    Mistake("an id that is none", "problem.yaml", "mapping_files", "id: 1a\nmapping_files", "problem.yaml:9: the problem's id"),
    Mistake("a list that is none", "problem.yaml", "[parameters.tsv]", "parameters.tsv", "problem.yaml:4: 'parameter_files' is no list"),
    Mistake("an extension without a version", "problem.yaml", "mapping_files", "extensions: {magic: {required: false}}\nmapping_files", "problem.yaml:9: no 'version'"),
    Mistake("a model with a unit that nobody knows", "model.xml", '<parameter id="k1"', '<parameter id="k1" units="furlong"', "model.xml:10: not valid SBML"),
    # Parameters.
    Mistake("no parameterId column", "parameters.tsv", "parameterId", "parameter", "parameters.tsv:1: no column 'parameterId'"),
    Mistake("no estimate column", "parameters.tsv", "estimate", "fit", "parameters.tsv:1: no column 'estimate'"),
    Mistake("no lowerBound column", "parameters.tsv", "lowerBound", "lower", "parameters.tsv:2: lowerBound is empty"),
    Mistake("a parameter twice", "parameters.tsv", "k2\t0", "k1\t0", "parameters.tsv:3: parameter 'k1' is defined twice"),
    Mistake("an id that is none", "parameters.tsv", "k2\t0", "2k\t0", "parameters.tsv:3: parameterId '2k' is no valid id"),
    Mistake("a reserved id", "parameters.tsv", "low\t", "time\t", "parameters.tsv:4: 'time' is a name that PEtab keeps"),
    Mistake("bounds reversed", "parameters.tsv", "k2\t0\t10", "k2\t10\t0", "parameters.tsv:3: lower bound of 'k2' above"),
    Mistake("bounds of a fixed parameter reversed", "parameters.tsv", "low\t\t\t", "low\t1\t0\t", "parameters.tsv:4: lower bound of 'low' above"),
    Mistake("a bound that is missing", "parameters.tsv", "k2\t0\t10", "k2\t0\t", "parameters.tsv:3: upperBound is empty"),
    Mistake("a bound that is text", "parameters.tsv", "k2\t0\t10", "k2\tnought\t10", "parameters.tsv:3: lowerBound 'nought' is not a number"),
    Mistake("estimate as a number", "parameters.tsv", "0.5\ttrue", "0.5\t3", "parameters.tsv:3: estimate is '3'"),
    Mistake("a fixed parameter without a value", "parameters.tsv", "low\t\t\t0.5", "low\t\t\t", "parameters.tsv:4: nominalValue is empty"),
    Mistake("a prior that does not exist", "parameters.tsv", "log-normal", "logNormal", "parameters.tsv:2: priorDistribution is 'logNormal'"),
    Mistake("a prior with one number", "parameters.tsv", "log-normal\t0;1", "log-normal\t0", "parameters.tsv:2: priorParameters '0'"),
    Mistake("a prior with three numbers", "parameters.tsv", "log-normal\t0;1", "log-normal\t0;1;2", "parameters.tsv:2: priorParameters '0;1;2'"),
    Mistake("a prior with a negative scale", "parameters.tsv", "log-normal\t0;1", "log-normal\t0;-1", "parameters.tsv:2: the prior's scale is not positive"),
    Mistake("a prior without numbers", "parameters.tsv", "log-normal\t0;1", "log-normal\t", "parameters.tsv:2: priorParameters ''"),
    Mistake("prior numbers without a prior", "parameters.tsv", "log-normal\t0;1", "\t0;1", "parameters.tsv:2: priorParameters without priorDistribution"),
    Mistake("a parameter that nothing uses", "parameters.tsv", "noise\t", "idle\t0\t1\t1\ttrue\nnoise\t", "parameters.tsv:6: parameter 'idle' is used nowhere"),
    Mistake("a parameter that is a state", "parameters.tsv", "low\t", "B\t", "parameters.tsv:4: 'B' in the parameter table is a state"),
    Mistake("a parameter that conditions set, too", "parameters.tsv", "low\t", "dose\t\t\t1\tfalse\nlow\t", "parameters.tsv:4: 'dose' is a parameter and set by conditions"),
    Mistake("a parameter that is missing", "parameters.tsv", "noise\t0.01\t10\t0.1\ttrue\n", "", "measurements.tsv:2: unknown parameter 'noise'"),
    # Conditions and experiments.
    Mistake("no targetId column", "conditions.tsv", "targetId", "target", "conditions.tsv:1: no column 'targetId'"),
    Mistake("an empty target", "conditions.tsv", "rest\tdose", "rest\t", "conditions.tsv:2: targetId is empty"),
    Mistake("an empty value", "conditions.tsv", "rest\tdose\t0", "rest\tdose\t", "conditions.tsv:2: targetValue is empty"),
    Mistake("an unknown target", "conditions.tsv", "rest\tdose", "rest\tdoses", "conditions.tsv:2: targetId 'doses' is unknown"),
    Mistake("a target that a rule gives", "conditions.tsv", "rest\tdose", "rest\ttotal", "conditions.tsv:2: targetId 'total' is given by"),
    Mistake("a target twice", "conditions.tsv", "rest\tdose\t0", "rest\tdose\t0\nrest\tdose\t1", "conditions.tsv:3: condition 'rest' sets 'dose' twice"),
    Mistake("a value that breaks off", "conditions.tsv", "low * 2", "low *", "conditions.tsv:3: formula 'low *'"),
    Mistake("a value with an unknown id", "conditions.tsv", "low * 2", "lower * 2", "conditions.tsv:3: unknown id 'lower'"),
    Mistake("a condition id that is none", "conditions.tsv", "rest\tdose", "1rest\tdose", "conditions.tsv:2: conditionId '1rest' is no valid id"),
    Mistake("no experimentId column", "experiments.tsv", "experimentId", "experiment", "experiments.tsv:1: no column 'experimentId'"),
    Mistake("an unknown condition", "experiments.tsv", "e\t0\tdrug", "e\t0\tdrugs", "experiments.tsv:3: unknown condition 'drugs'"),
    Mistake("a time that is missing", "experiments.tsv", "e\t5\tmore", "e\t\tmore", "experiments.tsv:4: time is empty"),
    Mistake("a time that is text", "experiments.tsv", "e\t5\tmore", "e\tlater\tmore", "experiments.tsv:4: time 'later' is not a number"),
    Mistake("a time that is infinite", "experiments.tsv", "e\t5\tmore", "e\tinf\tmore", "experiments.tsv:4: an experiment's time is infinite"),
    Mistake("conditions that contradict each other", "experiments.tsv", "e\t0\tdrug", "e\t0\tdrug\ne\t0\trest", "experiments.tsv:3: experiment 'e' sets 'dose' twice"),
    Mistake("an experiment id that is none", "experiments.tsv", "plain\t", "plain-1\t", "experiments.tsv:5: experimentId 'plain-1' is no valid id"),
    # Observables.
    Mistake("no observableFormula column", "observables.tsv", "observableFormula", "formula", "observables.tsv:1: no column 'observableFormula'"),
    Mistake("no noiseFormula column", "observables.tsv", "noiseFormula", "noise", "observables.tsv:1: no column 'noiseFormula'"),
    Mistake("an observable twice", "observables.tsv", "z\tA", "y\tA", "observables.tsv:3: observable 'y' is defined twice"),
    Mistake("an observable id that is none", "observables.tsv", "z\tA", "z-1\tA", "observables.tsv:3: observableId 'z-1' is no valid id"),
    Mistake("an observable with a model id", "observables.tsv", "z\tA", "B\tA", "observables.tsv:3: observable 'B' has the id of a model entity"),
    Mistake("a formula that breaks off", "observables.tsv", "A / total", "A / (total", "observables.tsv:3: formula 'A / (total'"),
    Mistake("a formula with an unknown id", "observables.tsv", "A / total", "A / all", "observables.tsv:3: unknown id 'all'"),
    Mistake("an observable in a formula", "observables.tsv", "A / total", "A / y", "observables.tsv:3: observable 'y' in observableFormula"),
    Mistake("an empty noise formula", "observables.tsv", "\t0.1\tlaplace", "\t\tlaplace", "observables.tsv:3: noiseFormula is empty"),
    Mistake("a noise distribution that does not exist", "observables.tsv", "laplace", "uniform", "observables.tsv:3: noiseDistribution is 'uniform'"),
    Mistake("a placeholder twice", "observables.tsv", "\tfactor\tsigma", "\tfactor;factor\tsigma", "observables.tsv:2: 'factor' stands twice"),
    Mistake("a placeholder with a meaning", "observables.tsv", "\tfactor\tsigma", "\tfactor;k1\tsigma", "observables.tsv:2: placeholder 'k1' has a meaning already"),
    Mistake("a placeholder that is no id", "observables.tsv", "\tfactor\tsigma", "\tfactor;1\tsigma", "observables.tsv:2: '1' in observablePlaceholders"),
    Mistake("a noise placeholder in the wrong formula", "observables.tsv", "factor * B", "factor * sigma", "observables.tsv:2: noise placeholder 'sigma'"),
    # Measurements and the mapping.
    Mistake("no measurement column", "measurements.tsv", "\tmeasurement\t", "\tvalue\t", "measurements.tsv:1: no column 'measurement'"),
    Mistake("no observableId column", "measurements.tsv", "observableId", "observable", "measurements.tsv:1: no column 'observableId'"),
    Mistake("an unknown observable", "measurements.tsv", "z\tplain\t0.6", "w\tplain\t0.6", "measurements.tsv:4: unknown observable 'w'"),
    Mistake("an unknown experiment", "measurements.tsv", "z\tplain\t0.6", "z\tplan\t0.6", "measurements.tsv:4: unknown experiment 'plan'"),
    Mistake("a measurement that is text", "measurements.tsv", "plain\t0.6", "plain\thigh", "measurements.tsv:4: measurement 'high' is not a number"),
    Mistake("a time that is missing", "measurements.tsv", "0.6\t2\n", "0.6\t\n", "measurements.tsv:4: time is empty"),
    Mistake("a time of -inf", "measurements.tsv", "0.6\t2\n", "0.6\t-inf\n", "measurements.tsv:4: the time is -inf"),
    Mistake("a measurement before its experiment", "measurements.tsv", "0.6\t2\n", "0.6\t-2\n", "measurements.tsv:4: "),
    Mistake("a measurement without a logarithm", "measurements.tsv", "e\t0.4\t1", "e\t-0.4\t1", "measurements.tsv:2: measurement -0.4 of 'y' has no logarithm"),
    Mistake("too few values for placeholders", "measurements.tsv", "\tscale_y\tnoise", "\t\tnoise", "measurements.tsv:2: 0 entries in observableParameters"),
    Mistake("too many values for placeholders", "measurements.tsv", "\tscale_y\tnoise", "\tscale_y\tnoise;1", "measurements.tsv:2: 2 entries in noiseParameters"),
    Mistake("an unknown value for the noise", "measurements.tsv", "\tscale_y\tnoise", "\tscale_y\tloud", "measurements.tsv:2: unknown parameter 'loud'"),
    Mistake("an unknown model", "measurements.tsv", "", "modelId\tobservableId\texperimentId\tmeasurement\ttime\nring\tz\tplain\t1\t1\n", "measurements.tsv:2: unknown model 'ring'"),
    Mistake("no modelEntityId column", "mapping.tsv", "modelEntityId", "modelEntity", "mapping.tsv:1: no column 'modelEntityId'"),
    Mistake("a mapping to nothing", "mapping.tsv", "r1.slow", "r1.fast", "mapping.tsv:2: 'r1.fast' is unknown to the model"),
    Mistake("a mapping of what has an id", "mapping.tsv", "r1.slow", "k1", "mapping.tsv:2: 'slow' is another name for 'k1'"),
    Mistake("a mapping given twice", "mapping.tsv", "r1.slow\n", "r1.slow\nslow\tr1.slow\n", "mapping.tsv:3: mapping 'slow' is defined twice"),
    Mistake("two models and no modelId", "problem.yaml", "model_files:\n", "model_files:\n  ring: {location: model.xml, language: sbml}\n", "measurements.tsv:1: no column 'modelId'"),
]


def write_problem(folder: Path, problem: dict[str, str], mistake: Mistake | None = None) -> Path:
    """The YAML file of the problem, spoilt by the mistake."""
    for name, text in problem.items():
        if mistake and name == mistake.file:
            assert mistake.old in text, f"{mistake.name}: {name} does not hold {mistake.old!r}"
            text = text.replace(mistake.old, mistake.new, 1) if mistake.old else mistake.new
        (folder / name).write_text(text)
    return folder / "problem.yaml"
