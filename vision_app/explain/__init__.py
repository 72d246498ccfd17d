"""Why a network answered as it did: heat maps over the image that it received."""
