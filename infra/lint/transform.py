"""transform.py TEMPLATE: prints what the SAM CLI's own translator makes of a SAM template, as CloudFormation in JSON.

It needs no account: no policy of template.yaml is a managed one that the translator would have to look up.
"""

import json
import sys

from samcli.commands.validate.lib.exceptions import InvalidSamDocumentException
from samcli.lib.translate.sam_template_validator import SamTemplateValidator
from samcli.yamlhelper import yaml_parse


class NoManagedPolicies:
    """Stands for the list that the translator would read from IAM."""

    def load(self):
        return {}


def main(path):
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    validator = SamTemplateValidator(template, NoManagedPolicies(), region="us-east-1")
    try:
        translated = yaml_parse(validator.get_translated_template_if_valid())
    except InvalidSamDocumentException as error:
        sys.exit(f"{path}: {error}")
    json.dump(translated, sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1])
