"""How things look to people. A view is given words and changes nothing."""
