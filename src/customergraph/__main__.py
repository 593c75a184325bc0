from customergraph.cli import main

main()
