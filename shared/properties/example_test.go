package properties_test

import (
	"fmt"

	"marketplace/shared/properties"
)

func ExampleParse() {
	p, err := properties.Parse("# release metadata\nname : SonarQube\nversions=6.7, \\\n   7.0\nvendor=Zo\\u00EB\n")
	if err != nil {
		fmt.Println(err)
		return
	}
	for key, value := range p.All() {
		fmt.Printf("%s: %q\n", key, value)
	}
	// Output:
	// name: "SonarQube"
	// versions: "6.7, 7.0"
	// vendor: "Zoë"
}

func ExampleProperties_Get() {
	p, err := properties.Parse("edition=developer\nedition=enterprise\n")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Get("edition"))
	fmt.Println(p.Get("plugins"))
	// Output:
	// enterprise true
	//  false
}
